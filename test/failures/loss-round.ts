/**
 * One round in which changes that were answered are lost: commits wait for no standby, and the primary dies with what
 * its standby lacks. It checks that exactly the last changes are lost, that the nodes that knew them decide nothing
 * more, and that nothing that was taken away works again after `trent database accept-loss`.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { changeIdOf, changeNumberOf } from '../../src/model/change-number.ts'
import { cutMemory, readLog, type Log } from '../durability/cut-memory.ts'
import { seeded, type Seeded } from '../durability/seeded.ts'
import { acceptLoss } from './accept-loss.ts'
import { createKey } from './acts-of-keys.ts'
import { Caller } from './caller.ts'
import type { Cluster } from './cluster.ts'
import type { Fleet } from './fleet.ts'
import { judgeHistories, judgeRecords, readAgain, type LostChanges } from './judge.ts'
import { startLoad } from './load.ts'
import type { Member } from './member.ts'
import { Memory } from './memory.ts'
import type { NodeProcess } from './node-process.ts'
import { withParts } from './parts.ts'
import type { PatroniPrograms } from './patroni-programs.ts'
import { judgeProcess, untilReady, verify } from './round.ts'
import { makeUsers } from './users.ts'

export interface LossSettings {
  readonly programs: PatroniPrograms
  readonly seed: number
  /** Where the history up to the loss is kept; without it, nowhere. */
  readonly history?: string
  readonly log: (line: string) => void
}

export interface LossResult {
  readonly seed: number
  /** How many changes were lost that a record of a journal names. */
  readonly lost: number
  /** How many of the lost changes took something away that the kept ones gave, by what it is. */
  readonly removals: Readonly<Record<string, number>>
  /** Refused calls of the nodes that knew what was lost. */
  readonly refused: number
  readonly registers: number
  readonly undecided: readonly string[]
  readonly ciphertexts: number
  readonly records: number
  readonly findings: readonly string[]
}

const freshnessSeconds = 3
const boundMs = freshnessSeconds * 1000
/** Nodes confirm every second. Until this is over, a busy machine has done so too. */
const noticedMaxMs = 30_000

export async function runLossRound(settings: LossSettings): Promise<LossResult> {
  const { seed, log, programs, history } = settings
  const random = seeded(seed)
  const members = random.oneOf([2, 3]) ?? 2
  log(`seed ${seed}: ${members} members, asynchronous`)
  const commits = { strict: false, synchronous: false }
  const parts = { programs, members, ...commits, freshnessSeconds, history, log }
  return await withParts(parts, (cluster, fleet) =>
    new LossRound(settings, cluster, fleet, random).run(),
  )
}

interface Head {
  readonly seq: number
  readonly change_id: string
}

class LossRound {
  readonly #settings: LossSettings
  readonly #cluster: Cluster
  readonly #fleet: Fleet
  readonly #random: Seeded
  /** What callers saw before the loss. */
  readonly #before: Memory
  /** Nodes that know what is lost. */
  readonly #knowing: readonly NodeProcess[]
  /** The node that is away meanwhile, and makes other changes of the same numbers. */
  readonly #away: NodeProcess

  constructor(settings: LossSettings, cluster: Cluster, fleet: Fleet, random: Seeded) {
    this.#settings = settings
    this.#cluster = cluster
    this.#fleet = fleet
    this.#random = random
    const { history } = settings
    if (history !== undefined) writeFileSync(history, '')
    this.#before = new Memory(history)
    const [first, second, away] = fleet.processes
    if (first === undefined || second === undefined || away === undefined)
      throw new Error('no node')
    this.#knowing = [first, second]
    this.#away = away
  }

  async run(): Promise<LossResult> {
    const { seed, log } = this.#settings
    const before = this.#before
    const caller = new Caller(this.#fleet, before, seeded(seed))
    await makeUsers(caller, (who, login) => this.#fleet.login(who, login))
    const load = await startLoad(this.#fleet, before, { seed, callers: 8, pauseMs: 40 })
    await sleep(12_000)
    const sealed = await this.#lose()
    const head = await this.#head()
    const refused = await this.#judgeRefusals()
    await load.stop()
    judgeHistories(before, boundMs)
    const { changes, lost } = await this.#lost(head)
    log(`${lost.ids.size} changes are lost after the change ${head.seq}`)

    await this.#away.start()
    const between = await this.#reuse()
    await this.#accept(lost, between.told.length)
    for (const node of this.#knowing) await node.start()
    await untilReady(this.#fleet)
    const { memory: after, removals } = cutMemory(before, changes, { change: lost.kept, sealed })
    const more = await startLoad(this.#fleet, after, { seed: seed + 1, callers: 8, pauseMs: 40 })
    await sleep(8000)
    await more.stop()
    await sleep(boundMs + 500)
    for (const [marker, keyId] of between.asked) after.asked.set(marker, keyId)
    await readAgain(new Caller(this.#fleet, after, seeded(seed + 1)), boundMs + 500)
    const { registers, undecided } = judgeHistories(after, boundMs)
    const all = new Memory()
    for (const each of [before, between, after]) {
      all.told.push(...each.told)
      all.findings.push(...each.findings)
    }
    return {
      seed,
      lost: lost.ids.size,
      removals: Object.fromEntries(removals),
      refused,
      registers,
      undecided,
      ciphertexts: after.sealed.length,
      records: await this.#end(all, lost),
      findings: all.findings,
    }
  }

  /**
   * One node stops. Then the standbys get no more changes, and the primary dies.
   * @returns how many ciphertexts the callers had before
   */
  async #lose(): Promise<number> {
    const { log } = this.#settings
    await this.#away.terminate()
    const leader = await this.#leader()
    const sealed = this.#before.sealed.length
    await this.#caughtUp(leader)
    leader.links.postgres.cut()
    await sleep(3000 + this.#random.below(4000))
    const kill = this.#random.oneOf(['PostgreSQL', 'machine'] as const)
    log(`the ${kill} of the primary ${leader.name} is killed`)
    if (kill === 'machine') leader.kill()
    else leader.killPostgres()
    const giveUpAt = performance.now() + 90_000
    for (;;) {
      const next = await this.#cluster.leader()
      if (next !== undefined && next !== leader && (await this.#writable())) break
      if (performance.now() > giveUpAt) throw new Error('no standby became the primary')
      await sleep(200)
    }
    leader.links.postgres.heal('drop')
    await leader.restart()
    return sealed
  }

  async #leader(): Promise<Member> {
    const leader = await this.#cluster.leader()
    if (leader === undefined) throw new Error('the cluster has no leader')
    return leader
  }

  async #writable(): Promise<boolean> {
    const query = 'SELECT pg_is_in_recovery() AS standby'
    const [found] = await this.#cluster.admin('trent', query).catch(() => [])
    return found?.['standby'] === false
  }

  /** Waits until each standby has what the primary has now. */
  async #caughtUp(leader: Member): Promise<void> {
    if (leader !== (await this.#leader())) throw new Error('the leader has changed')
    const [now] = await this.#cluster.admin('trent', 'SELECT pg_current_wal_lsn()::text AS lsn')
    const query = `SELECT count(*)::int AS behind FROM pg_stat_replication
      WHERE coalesce(replay_lsn < '${String(now?.['lsn'])}', true)`
    for (let tries = 0; tries < 100; tries += 1) {
      const [found] = await this.#cluster.admin('trent', query)
      if (found?.['behind'] === 0) return
      await sleep(100)
    }
    throw new Error('a standby does not catch up')
  }

  async #head(): Promise<Head> {
    const [head] = await this.#cluster.admin('trent', 'SELECT seq::int, change_id FROM change_head')
    if (head === undefined) throw new Error('the database has no changes')
    return { seq: Number(head['seq']), change_id: String(head['change_id']) }
  }

  /** Waits until the nodes say that they refuse. From then on they answer nothing. */
  async #judgeRefusals(): Promise<number> {
    const before = this.#before
    const head = await this.#head()
    const giveUpAt = performance.now() + noticedMaxMs
    for (const node of this.#knowing) {
      for (;;) {
        const { status, reasons } = (await node.readiness()) ?? {}
        const says = String(reasons).includes(
          'the database lacks changes that this node has applied',
        )
        if (status !== 'ready' && says) break
        if (performance.now() > giveUpAt) {
          before.find(`${node.folder} does not say that changes are lost: ${String(reasons)}`)
          break
        }
        await sleep(100)
      }
    }
    // Calls that began before may still be answered.
    await sleep(1000)
    const answered = before.told.length
    const unanswered = sumOf(before)
    await sleep(5000)
    const more = before.told.length - answered
    if (more > 0) before.find(`${more} calls were answered after changes were lost`)
    const now = await this.#head()
    if (now.seq !== head.seq || now.change_id !== head.change_id) {
      before.find('a node that knew the lost changes made another one')
    }
    return sumOf(before) - unanswered - more
  }

  /** What is lost is whatever came after the last change that the database has. */
  async #lost(head: Head): Promise<{ changes: Log; lost: LostChanges }> {
    const logs: Log[] = []
    const ids = new Map<string, number>()
    for (const { journal } of this.#fleet.processes) {
      logs.push(await readLog(journal))
      await readRecords(journal, (text) => {
        const record: unknown = JSON.parse(text)
        const change = changeNumberOf(record)
        const id = changeIdOf(record) ?? ''
        if (change === undefined) return
        if (change > head.seq) ids.set(id, change)
        if (change === head.seq && id !== head.change_id) {
          this.#before.find(`the database has another change ${change} than the journal`)
        }
      })
    }
    const changes = {
      changes: new Map(logs.flatMap((each) => [...each.changes])),
      made: new Map(logs.flatMap((each) => [...each.made])),
      rotated: new Map(
        logs.flatMap((each) => [...each.rotated]).toSorted(([, one], [, other]) => one - other),
      ),
    }
    return { changes, lost: { kept: head.seq, ids } }
  }

  /** The node that has never seen the lost changes makes others of the same numbers. */
  async #reuse(): Promise<Memory> {
    const between = new Memory()
    const only = {
      nodes: this.#fleet.nodes,
      accountId: this.#fleet.accountId,
      isUp: (node: number) => this.#fleet.processes[node] === this.#away,
      call: this.#fleet.call.bind(this.#fleet),
    }
    const caller = new Caller(only, between, this.#random)
    for (let keys = 1 + this.#random.below(4); keys > 0; keys -= 1) await createKey(caller)
    if (between.live.length === 0) between.find('a node without the lost changes does not serve')
    return between
  }

  /** As docs/operations/backup-and-repair.md says. */
  async #accept({ ids }: LostChanges, reused: number): Promise<void> {
    const [first, second] = this.#knowing
    if (first === undefined || second === undefined) return
    for (const node of this.#knowing) {
      const code = await node.terminate()
      if (code !== 0) this.#before.find(`a refusing node stopped with ${String(code)}`)
    }
    const others = ['--journal', second.journal, '--json']
    const listed = await acceptLoss(first, others)
    if (listed.accepted) this.#before.find('a loss was accepted without a word')
    const named = listed.changes.length
    if (named !== ids.size) this.#before.find(`${ids.size} changes are lost, ${named} are listed`)
    if (listed.reused < Math.min(1, reused)) this.#before.find('no reused number is listed')
    const accepted = await acceptLoss(first, [...others, '--yes'])
    if (!accepted.accepted) throw new Error('the loss is not accepted')
  }

  /** Stops the nodes, and checks what they have stored. */
  async #end(memory: Memory, lost: LostChanges): Promise<number> {
    const nodes = this.#fleet.processes
    for (const node of nodes) {
      const code = await node.terminate()
      if (code !== 0) memory.find(`a node stopped with ${String(code)}: ${node.tail.slice(-500)}`)
      judgeProcess(memory, node)
    }
    for (const node of nodes) await verify(memory, node.environment, node.folder)
    const journals = nodes.map(({ journal }) => journal)
    return await judgeRecords(memory, journals, lost)
  }
}

const sumOf = ({ answers }: Memory): number =>
  [...answers.values()].reduce((all, each) => all + each, 0)
