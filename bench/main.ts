/**
 * `npm run bench`: what a request costs, case by case, with a bare `node:http` server measured in the same run.
 * Every request has its own signature and is sent once; signatures are made before the measurement starts.
 * @see docs/performance.md
 * @module
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { cases, type Case } from './cases.ts'
import { clientsOf, makeData, newKey, type Caller } from './data.ts'
import { writeAtRate } from './disk.ts'
import { closedLoop, eachOf, openLoop } from './load.ts'
import { bytesWritten, figures, inRounds, warmUp, type Contender, type Total } from './measure.ts'
import { peers, startPeer } from './peers.ts'
import { accountId, makeDirectory, region, root, startFloor, startTrent } from './servers.ts'
import type { Credentials, Floor, Server } from './servers.ts'
import { settings } from './settings.ts'
import { createSigner, signedRequest } from './sign.ts'
import { print, tableHead, tableLine } from './table.ts'
import { readMemory, readUsage } from './usage.ts'

/** Memory that is a file system. Files there are not synced. */
const tmpfs = '/dev/shm'

interface Setting {
  readonly one: Case
  readonly bytes: number
  readonly floor: Floor
}

/** A server with the credentials and the keys that its requests name. */
interface Target {
  readonly name: string
  readonly server: Server
  readonly credentials: Credentials
  readonly keyIds?: readonly string[]
}

async function main(): Promise<void> {
  const chosen = settings.cases.map(caseOf)
  const { requests, rounds, connections } = settings
  print(`${requests} requests in ${rounds} rounds, over ${connections} connections`)
  const floor = await startFloor()
  const others = await startPeers()
  for (const [index, keys] of settings.keys.entries()) {
    // Peers have one key and one caller.
    await withServers(keys, async (servers, callers) => {
      for (const caller of callers) {
        const targets: Target[] = [...servers].map(([name, server]) => ({
          ...caller,
          name,
          server,
        }))
        if (index === 0 && caller.name === 'root') targets.push(...others)
        for (const bytes of settings.bytes) {
          print(`\n${keys} ${keys === 1 ? 'key' : 'keys'}, ${bytes} bytes, by ${caller.name}`)
          print(tableHead())
          for (const one of chosen) {
            if (one.byGrant || !caller.name.startsWith('grantee-')) {
              await measure({ one, bytes, floor }, targets)
            } else print(`${one.name}: not by a grant`)
          }
        }
      }
    })
  }
  for (const { server } of others) await server.stop()
  await floor.stop()
}

function caseOf(name: string): Case {
  const found = cases.find((each) => each.name === name)
  if (found !== undefined) return found
  throw new Error(`no case ${name}; there are ${cases.map((each) => each.name).join(', ')}`)
}

async function startPeers(): Promise<readonly Target[]> {
  const started: Target[] = []
  for (const name of settings.peers) {
    try {
      started.push({ name, server: await startPeer(name), credentials: root })
      print(`${name} ${peers[name]?.version}: ${peers[name]?.leavesOut}`)
    } catch (error) {
      print(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return started
}

/** Servers for each number of workers and each storage, with the same data. */
async function withServers(
  keys: number,
  work: (servers: ReadonlyMap<string, Server>, callers: readonly Caller[]) => Promise<void>,
): Promise<void> {
  const made = join(makeDirectory(), 'data')
  const servers = new Map<string, Server>()
  const callers = await makeData(made, keys, settings.callers)
  for (const storage of settings.storage) {
    for (const workers of settings.workers) {
      const directory = makeDirectory(storage === 'tmpfs' ? tmpfs : undefined)
      cpSync(made, join(directory, 'data'), { recursive: true })
      const name = ['trent', ...(workers > 1 ? [`×${workers}`] : []), storage].join(' ')
      const server = await startTrent(join(directory, 'data'), {
        TRENT_WORKERS: String(workers),
        ...(storage === 'delivered' && { TRENT_AUDIT_DIR: join(directory, 'delivered') }),
        ...settings.trent,
      })
      servers.set(name, server)
      const [cpu, memory] = [readUsage(server.pid).process / 1e9, readMemory(server.pid) / 1e6]
      print(`${name}: ready after ${cpu.toFixed(2)} s of CPU, with ${memory.toFixed(0)} MB`)
    }
  }
  await work(servers, callers)
  for (const server of servers.values()) await server.stop()
}

async function measure(setting: Setting, targets: readonly Target[]): Promise<void> {
  const { floor, one } = setting
  const contenders: Contender[] = []
  for (const target of targets) {
    try {
      contenders.push(await prepare(target, setting, contenders.length === 0))
    } catch (error) {
      if (contenders.length === 0) throw error
      print(`${one.name}: not by ${target.name}: ${String(error).slice(0, 100)}`)
    }
  }
  const [first] = contenders
  if (first === undefined) return
  const ofFloor = { ...first, name: 'floor', server: floor, ofRound: most() }
  await closedLoop(floor.port, eachOf(first.requests(settings.warming)), settings.connections)
  contenders.unshift(ofFloor)
  const closed = await inRounds(contenders, settings.rounds, ({ port }, fresh) =>
    closedLoop(port, eachOf(fresh), settings.connections),
  )
  const speed = (contender: Contender): number => {
    const { requests, seconds } = closed.get(contender) ?? { requests: 0, seconds: 1 }
    return requests / seconds
  }
  const atRate = (of: readonly Contender[], rate: number): Promise<ReadonlyMap<Contender, Total>> =>
    inRounds(
      of,
      settings.rounds,
      ({ port }, fresh) => openLoop(port, fresh, settings.connections, rate),
      Math.ceil((rate * settings.seconds) / settings.rounds),
    )
  const paced = await atRate([ofFloor], speed(first))
  report(one.name, 'closed', closed, paced.get(ofFloor))
  report(one.name, `${Math.round(speed(first))}/s`, paced)
  for (const asked of settings.rates) {
    const rate = Math.ceil(asked === 'half' ? speed(first) / 2 : Number(asked))
    const able = contenders.filter((each) => speed(each) > rate)
    const open = await atRate(able, rate)
    report(one.name, `${rate}/s`, open)
    const served = open.get(first)
    if (served !== undefined) await reportDisk(one.name, rate, served)
  }
}

const most = (): number => Math.ceil(settings.requests / settings.rounds)

/** @param isFirst the floor answers with as many bytes as this target */
async function prepare(
  { name, server, credentials, keyIds: given }: Target,
  { one, bytes, floor }: Setting,
  isFirst: boolean,
): Promise<Contender> {
  const { kms, iam } = clientsOf(server)
  const keyIds = given ?? [await newKey(kms)]
  const granteeArn = `arn:aws:iam::${accountId}:root`
  const next = await one.prepare({ kms, keyIds, bytes, granteeArn })
  kms.destroy()
  iam.destroy()
  const { accessKeyId, secretAccessKey } = credentials
  const signer = createSigner(`127.0.0.1:${server.port}`, region, accessKeyId, secretAccessKey)
  const requests = (count: number): Buffer[] =>
    Array.from({ length: count }, () => signedRequest(signer, one.operation, next()))
  const { answerBytes, ofRound } = await warmUp(server, requests, {
    connections: settings.connections,
    least: settings.warming,
    always: keyIds.length,
    most: most(),
    seconds: settings.seconds / settings.rounds,
  })
  if (isFirst) await floor.answer(answerBytes)
  return { name, server, requests, ofRound }
}

/** @param paced the floor at the rate that Trent reached */
function report(
  name: string,
  load: string,
  totals: ReadonlyMap<Contender, Total>,
  paced?: Total,
): void {
  const [floor] = totals.values()
  for (const [{ name: server, server: process }, total] of totals) {
    const found = figures(process, total, floor, total === floor ? undefined : paced)
    print(tableLine({ case: name, server, load, ...found }))
    if (settings.threads && total !== floor) printThreads(total)
  }
}

/** @param served a server's open loop; the disk alone gets as many bytes at the same rate */
async function reportDisk(name: string, rate: number, served: Total): Promise<void> {
  const bytes = bytesWritten(served) / served.requests
  if (!(bytes > 0)) return
  const { requests } = served
  const directory = makeDirectory()
  const { seconds, latencies } = await writeAtRate(directory, { rate, records: requests, bytes })
  const [p50, p99] = [latencies.percentile(0.5), latencies.percentile(0.99)]
  const found = {
    'req/s': requests / seconds,
    'p50 ms': p50,
    'p99 ms': p99,
    'p99/p50': p99 / p50,
    'KB files': bytes / 1000,
  }
  print(tableLine({ case: name, server: 'disk', load: `${rate}/s`, ...found }))
}

function printThreads({ usage, requests }: Total): void {
  const sorted = [...usage.threads].toSorted(([, one], [, other]) => other - one)
  for (const [name, time] of sorted) {
    const micros = time / requests / 1000
    if (micros >= 0.1) print(`${micros.toFixed(1).padStart(30)} µs  ${name}`)
  }
}

await main()
