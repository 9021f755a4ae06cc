/**
 * `npm run bench`: what a request costs, case by case, with a bare `node:http` server measured in the same run.
 * Every request has its own signature and is sent once; signatures are made before the measurement starts. CPU
 * time is read from the threads. Ratios are those of CPU time: 0.5 of the floor is twice its CPU a request.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { cases, type Case } from './cases.ts'
import { addCpu, cpuBetween, mainTime, readCpu, readMemory, type Cpu } from './cpu.ts'
import { joinLatencies, type Latencies } from './latencies.ts'
import { closedLoop, openLoop, type Load } from './load.ts'
import {
  accountId,
  region,
  root,
  startFloor,
  startTrent,
  type Floor,
  type Server,
} from './servers.ts'
import { settings } from './settings.ts'
import { createSigner, signedRequest } from './sign.ts'
import { tableHead, tableLine, type Column, type Row } from './table.ts'

const columns: readonly Column[] = [
  { name: 'case', width: 16 },
  { name: 'bytes', width: 5, digits: 0 },
  { name: 'server', width: 16 },
  { name: 'load', width: 8 },
  { name: 'req/s', width: 7, digits: 0 },
  { name: 'p50 ms', width: 7, digits: 2 },
  { name: 'p99 ms', width: 7, digits: 2 },
  { name: 'p99/p50', width: 7, digits: 1 },
  { name: 'main µs', width: 8, digits: 1 },
  { name: 'process µs', width: 10, digits: 1 },
  { name: 'main/floor', width: 10, digits: 3 },
  { name: 'process/floor', width: 13, digits: 3 },
  { name: 'MB', width: 5, digits: 0 },
]

const print = (line: string): void => void process.stdout.write(`${line}\n`)

interface Contender {
  readonly name: string
  readonly server: Server
  /** Prepared requests, all different. */
  readonly requests: (count: number) => Buffer[]
}

/** All rounds of a case with one contender. */
interface Total {
  readonly requests: number
  readonly seconds: number
  readonly cpu: Cpu
  readonly latencies: Latencies
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'trent-bench-'))
  const floor = await startFloor()
  try {
    const chosen = settings.cases.map(caseOf)
    const { requests, connections, rounds } = settings
    print(`${requests} requests a case in ${rounds} rounds, over ${connections} connections\n`)
    print(tableHead(columns))
    const servers = new Map<string, Server>()
    for (const count of settings.workers) {
      const name = count === 1 ? 'trent' : `trent, ${count} workers`
      servers.set(
        name,
        await startTrent(join(directory, String(count)), { TRENT_WORKERS: String(count) }),
      )
    }
    for (const bytes of settings.bytes) {
      for (const each of chosen) await measure(each, bytes, servers, floor)
    }
    for (const server of servers.values()) await server.stop()
  } finally {
    await floor.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function caseOf(name: string): Case {
  const found = cases.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new Error(`no case ${name}; there are ${cases.map((each) => each.name).join(', ')}`)
}

async function measure(
  one: Case,
  bytes: number,
  servers: ReadonlyMap<string, Server>,
  floor: Floor,
): Promise<void> {
  const contenders: Contender[] = []
  for (const [name, server] of servers) contenders.push(await prepare(name, server, one, bytes))
  const [first] = contenders
  if (first === undefined) return
  const { connections, warming } = settings
  for (const { server, requests } of contenders) {
    const { answerBytes } = await closedLoop(server.port, requests(warming), connections)
    if (server === first.server) await floor.answer(answerBytes)
  }
  contenders.unshift({ ...first, name: 'floor', server: floor })
  await closedLoop(floor.port, first.requests(warming), connections)

  const report = (load: string, totals: readonly Total[]): void => {
    for (const [index, { name, server }] of contenders.entries()) {
      const [total, ofFloor] = [totals[index], totals[0]]
      if (total === undefined || ofFloor === undefined) continue
      const names = { case: one.name, bytes, server: name, load }
      print(tableLine(columns, { ...names, ...figures(server, total, ofFloor) }))
      if (settings.threads && server !== floor) printThreads(total)
    }
  }
  const closed = await inRounds(contenders, ({ port }, fresh) =>
    closedLoop(port, fresh, connections),
  )
  report('closed', closed)
  const [, saturated] = closed
  for (const asked of settings.rates) {
    const half = saturated === undefined ? 0 : saturated.requests / saturated.seconds / 2
    const rate = asked === 'half' ? Math.round(half) : Number(asked)
    const open = await inRounds(contenders, ({ port }, fresh) =>
      openLoop(port, fresh, connections, rate),
    )
    report(`${rate}/s`, open)
  }
}

/** Rounds alternate between the contenders, so that all run under the same load of the machine. */
async function inRounds(
  contenders: readonly Contender[],
  run: (server: Server, requests: readonly Buffer[]) => Promise<Load>,
): Promise<readonly Total[]> {
  const totals: Total[] = []
  for (let round = 0; round < settings.rounds; round += 1) {
    for (const [index, { server, requests }] of contenders.entries()) {
      const fresh = requests(Math.ceil(settings.requests / settings.rounds))
      const before = readCpu(server.pid)
      const { seconds, latencies } = await run(server, fresh)
      const cpu = cpuBetween(before, readCpu(server.pid))
      const total = totals[index]
      totals[index] = {
        requests: fresh.length + (total?.requests ?? 0),
        seconds: seconds + (total?.seconds ?? 0),
        cpu: total === undefined ? cpu : addCpu(total.cpu, cpu),
        latencies: total === undefined ? latencies : joinLatencies(total.latencies, latencies),
      }
    }
  }
  return totals
}

async function prepare(name: string, server: Server, one: Case, bytes: number): Promise<Contender> {
  const kms = new KMSClient({
    region,
    endpoint: `http://127.0.0.1:${server.port}`,
    credentials: root,
  })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const keyIds = [KeyMetadata?.KeyId ?? '']
  const granteeArn = `arn:aws:iam::${accountId}:root`
  const next = await one.prepare({ kms, keyIds, bytes, granteeArn })
  kms.destroy()
  const { accessKeyId, secretAccessKey } = root
  const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
  const requests = (count: number): Buffer[] =>
    Array.from({ length: count }, () => signedRequest(signer, one.operation, next()))
  return { name, server, requests }
}

function figures(server: Server, total: Total, floor: Total): Row {
  const micros = (nanoseconds: number | undefined, { requests }: Total): number =>
    (nanoseconds ?? NaN) / requests / 1000
  const [p50, p99] = [total.latencies.percentile(0.5), total.latencies.percentile(0.99)]
  const serving = micros(mainTime(total.cpu), total)
  const all = micros(total.cpu.process, total)
  return {
    'req/s': total.requests / total.seconds,
    'p50 ms': p50,
    'p99 ms': p99,
    'p99/p50': p99 / p50,
    'main µs': serving,
    'process µs': all,
    'main/floor': micros(mainTime(floor.cpu), floor) / serving,
    'process/floor': micros(floor.cpu.process, floor) / all,
    MB: readMemory(server.pid) / 1e6,
  }
}

function printThreads({ cpu, requests }: Total): void {
  const sorted = [...cpu.threads].toSorted(([, one], [, other]) => other - one)
  for (const [name, time] of sorted) {
    const micros = time / requests / 1000
    if (micros >= 0.1)
      print(`${''.padStart(48)} ${name.padEnd(16)} ${micros.toFixed(1).padStart(8)}`)
  }
}

await main()
