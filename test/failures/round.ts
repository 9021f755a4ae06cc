/**
 * One round: a new cluster and three new nodes, load and faults for a time, and then the judgement. The seed decides
 * which faults come, in which order and for how long, and what each caller asks. It cannot decide what happens at
 * the same moment.
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { seeded } from '../durability/seeded.ts'
import { Caller } from './caller.ts'
import type { Cluster } from './cluster.ts'
import { startFaults, type FaultCounts } from './faults.ts'
import type { Fleet } from './fleet.ts'
import { judgeHistories, judgeRecords, readAgain } from './judge.ts'
import { startLoad } from './load.ts'
import { Memory } from './memory.ts'
import type { NodeProcess, OwnEnd } from './node-process.ts'
import { withParts } from './parts.ts'
import type { PatroniPrograms } from './patroni-programs.ts'
import { makeUsers } from './users.ts'

export interface RoundSettings {
  readonly programs: PatroniPrograms
  readonly seed: number
  readonly seconds: number
  /** Where the history is kept; without it, nowhere. */
  readonly history?: string
  /** See `ClusterSettings`. Default: true. */
  readonly strict?: boolean
  readonly log: (line: string) => void
}

export interface RoundResult {
  readonly seed: number
  readonly faults: Readonly<Record<string, number>>
  readonly failovers: number
  readonly answers: Readonly<Record<string, number>>
  readonly entries: number
  readonly registers: number
  readonly undecided: readonly string[]
  readonly ciphertexts: number
  readonly records: number
  /** Nodes that ended by themselves, or whose start was refused. */
  readonly ends: readonly OwnEnd[]
  /** Whether each node has a disk of its own. If not, no disk runs full. */
  readonly hasDisks: boolean
  readonly findings: readonly string[]
}

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export async function runRound(settings: RoundSettings): Promise<RoundResult> {
  const { seed, log, programs, history, strict = true } = settings
  const random = seeded(seed)
  const freshnessSeconds = random.oneOf([2, 3, 5]) ?? 5
  const members = random.oneOf([2, 3, 3, 3]) ?? 3
  log(`seed ${seed}: ${members} members, a bound of ${freshnessSeconds} s`)
  const parts = { programs, members, strict, freshnessSeconds, history, log }
  return await withParts(parts, (cluster, fleet) =>
    judged(settings, cluster, fleet, freshnessSeconds * 1000),
  )
}

async function judged(
  { seed, seconds, history, log }: RoundSettings,
  cluster: Cluster,
  fleet: Fleet,
  boundMs: number,
): Promise<RoundResult> {
  if (history !== undefined) writeFileSync(history, '')
  const memory = new Memory(history)
  const caller = new Caller(fleet, memory, seeded(seed))
  await makeUsers(caller, (who, login) => fleet.login(who, login))
  const load = await startLoad(fleet, memory, { seed, callers: 12, pauseMs: 60 })
  const counts: FaultCounts = { faults: new Map() }
  const faults = startFaults(
    fleet,
    cluster,
    (actor) => seeded(seed * 100 + actor),
    counts,
    (what) => log(`${new Date().toISOString().slice(11, 19)} ${what}`),
  )
  await sleep(seconds * 1000)
  await faults.stop()
  await load.stop()
  await cluster.healthy(120_000)
  const failovers = await cluster.promotions()
  await untilReady(fleet)
  // After this, everything that was answered must count everywhere.
  await sleep(boundMs + 500)
  await readAgain(caller, boundMs + 500)
  const { registers, undecided } = judgeHistories(memory, boundMs)
  const ends = fleet.processes.flatMap((node) => node.ends)
  for (const node of fleet.processes) {
    log(`starts ${node.startsMs.join(' ')}`)
    const code = await node.terminate()
    if (code !== 0) memory.find(`a node stopped with ${String(code)}: ${node.tail.slice(-500)}`)
  }
  for (const node of fleet.processes) judgeProcess(memory, node)
  for (const node of fleet.processes) await verify(memory, node.environment, node.folder)
  const records = await judgeRecords(
    memory,
    fleet.processes.map(({ journal }) => journal),
  )
  return {
    seed,
    faults: Object.fromEntries(counts.faults),
    failovers,
    answers: Object.fromEntries(memory.answers),
    entries: memory.entries.length,
    registers,
    undecided,
    ciphertexts: memory.sealed.length,
    records,
    ends,
    hasDisks: fleet.hasDisks,
    findings: memory.findings,
  }
}

const mistake = /\b(?:Assertion|Range|Reference|Syntax|Type)Error\b/

/** A node may end when its database is away, and never by a mistake of its own. */
export function judgeProcess(memory: Memory, { log, ends }: NodeProcess): void {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  for (const line of lines.filter((each) => mistake.test(each))) {
    memory.find(`a node logged ${line.slice(0, 2000)}`)
  }
  for (const { code, text } of ends) {
    if (code === null) memory.find(`a node was ended by a signal that no test sent: ${text}`)
  }
}

export async function untilReady(fleet: Fleet): Promise<void> {
  const giveUpAt = performance.now() + 120_000
  for (const node of fleet.processes) {
    for (;;) {
      const readiness = await node.readiness()
      if (readiness?.['status'] === 'ready') break
      if (performance.now() > giveUpAt) {
        throw new Error(`a node is not ready: ${JSON.stringify(readiness)} ${node.tail}`)
      }
      await sleep(200)
    }
  }
}

export async function verify(
  memory: Memory,
  environment: Readonly<Record<string, string>>,
  cwd: string,
): Promise<void> {
  for (const command of ['verify-log', 'verify-database']) {
    try {
      await promisify(execFile)(process.execPath, [main, command], { env: environment, cwd })
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      memory.find(`trent ${command} of ${cwd}: ${stdout ?? ''}${stderr ?? String(error)}`)
    }
  }
}
