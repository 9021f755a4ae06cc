/** A cluster of PostgreSQL with Patroni and etcd, on loopback. @module */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freeLoopbackPort } from '../free-port.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { startEtcd } from './etcd.ts'
import { openLink } from './link.ts'
import { Member, superuser } from './member.ts'
import type { PatroniPrograms } from './patroni-programs.ts'
import { folderAtExit, lastLines } from './processes.ts'

export interface ClusterSettings {
  readonly programs: PatroniPrograms
  readonly members: number
  /** With `synchronous_mode_strict`: commits wait for a standby even while there is none. */
  readonly strict: boolean
  /** False: commits wait for no standby. Default: true. */
  readonly synchronous?: boolean
}

export interface MemberState {
  readonly name: string
  readonly role: string
  readonly state: string
  readonly timeline?: number
}

export interface Cluster {
  readonly members: readonly Member[]
  readonly password: string
  readonly etcd: ChildProcess
  /** The states of the members, by the first of them that answers. */
  readonly states: () => Promise<readonly MemberState[]>
  readonly leader: () => Promise<Member | undefined>
  /** Waits until there is a leader, and each other member streams from it. */
  readonly healthy: (maxMs: number) => Promise<void>
  /** Waits until there is a leader, and a standby that makes its commits durable, if commits wait for one. */
  readonly usable: (maxMs: number) => Promise<void>
  /** How often a standby became the primary: each time begins a timeline. */
  readonly promotions: () => Promise<number>
  /** A planned change of the leader. */
  readonly switchover: (from: Member) => Promise<boolean>
  /** Statements of the superuser, on the leader. */
  readonly admin: (
    database: string,
    statements: string,
  ) => Promise<readonly Record<string, unknown>[]>
  readonly logs: () => string
  readonly stop: () => Promise<void>
}

/** The shortest time of a leader's lock that Patroni allows, in seconds. */
export const leaderSeconds = 20

export async function startCluster(settings: ClusterSettings): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'trent-cluster-'))
  chmodSync(folder, 0o755)
  const removeFolder = folderAtExit(folder)
  const password = randomBytes(16).toString('hex')
  const etcdPort = await freeLoopbackPort()
  const etcd = await startEtcd(settings.programs.etcd, folder, etcdPort)
  const members: Member[] = []
  for (let number = 1; number <= settings.members; number += 1) {
    members.push(await makeMember(settings, folder, number, etcdPort, password))
  }
  for (const member of members) member.start()

  const waiting = new Waiting(members)
  const standby = settings.synchronous === false ? 'replica' : 'sync_standby'
  const isUsable = (states: readonly MemberState[]): boolean => hasBoth(states, standby)
  const cluster: Cluster = {
    members,
    password,
    etcd,
    states: () => statesOf(members),
    async leader() {
      const states = await statesOf(members)
      const name = states.find(({ role, state }) => role === 'leader' && state === 'running')?.name
      return members.find((each) => each.name === name)
    },
    healthy: (maxMs) =>
      waiting.until(maxMs, (states) => isUsable(states) && isWhole(states, settings)),
    usable: (maxMs) => waiting.until(maxMs, isUsable),
    async promotions() {
      const states = await statesOf(members)
      return Math.max(1, ...states.map(({ timeline = 1 }) => timeline)) - 1
    },
    async switchover(from) {
      const answer = await fetch(`http://127.0.0.1:${from.ports.restApi}/switchover`, {
        method: 'POST',
        body: JSON.stringify({ leader: from.name }),
        signal: AbortSignal.timeout(30_000),
      }).catch(() => undefined)
      return answer?.status === 200
    },
    async admin(database, statements) {
      const leader = await cluster.leader()
      if (leader === undefined) throw new Error('the cluster has no leader')
      const { postgres: port } = leader.ports
      return await asSuperuser({ port, superuser, password }, database, statements)
    },
    logs: () => members.map(({ name, log }) => `== ${name}\n${lastLines(log)}`).join('\n'),
    async stop() {
      await Promise.all(members.map((member) => member.stop()))
      etcd.kill('SIGCONT')
      etcd.kill('SIGKILL')
      for (const { links } of members) {
        for (const link of [links.postgres, links.restApi, links.etcd]) link.close()
      }
      removeFolder()
    },
  }
  return cluster
}

async function makeMember(
  { programs, strict, synchronous = true }: ClusterSettings,
  folder: string,
  number: number,
  etcdPort: number,
  password: string,
): Promise<Member> {
  const ports = { postgres: await freeLoopbackPort(), restApi: await freeLoopbackPort() }
  return new Member({
    name: `p${number}`,
    folder: join(folder, `p${number}`),
    programs,
    ports,
    links: {
      postgres: await openLink(ports.postgres),
      restApi: await openLink(ports.restApi),
      etcd: await openLink(etcdPort),
    },
    password,
    cluster: clusterConfiguration(synchronous, strict),
  })
}

function clusterConfiguration(
  synchronous: boolean,
  strict: boolean,
): Readonly<Record<string, unknown>> {
  return {
    ttl: leaderSeconds,
    loop_wait: 1,
    retry_timeout: 3,
    // A primary that crashed is replaced, not started again.
    primary_start_timeout: 0,
    maximum_lag_on_failover: 64 * 1024 * 1024,
    synchronous_mode: synchronous,
    synchronous_mode_strict: synchronous && strict,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: {
        fsync: 'off',
        max_connections: 100,
        max_wal_size: '128MB',
        shared_buffers: '32MB',
        tcp_keepalives_idle: 10,
        wal_log_hints: 'on',
        wal_receiver_timeout: '5s',
        wal_sender_timeout: '5s',
      },
    },
  }
}

async function statesOf(members: readonly Member[]): Promise<readonly MemberState[]> {
  for (const { ports } of members) {
    try {
      const answer = await fetch(`http://127.0.0.1:${ports.restApi}/cluster`, {
        signal: AbortSignal.timeout(2000),
      })
      const { members: found } = (await answer.json()) as { members: readonly MemberState[] }
      return found
    } catch {
      // The next one may answer.
    }
  }
  return []
}

/** How long a standby may be without its primary before it is copied anew. */
const strayMaxMs = 25_000

/** Waits for states of the cluster, and does what its operator has to do meanwhile. */
class Waiting {
  readonly #members: readonly Member[]
  /** Since when a member does not follow. */
  readonly #straying = new Map<Member, number>()

  constructor(members: readonly Member[]) {
    this.#members = members
  }

  async until(maxMs: number, holds: (states: readonly MemberState[]) => boolean): Promise<void> {
    const giveUpAt = performance.now() + maxMs
    for (;;) {
      const states = await statesOf(this.#members)
      if (holds(states)) return
      // A start again would hide why.
      const ended = this.#members.find((each) => each.endedByItself)
      if (ended !== undefined) throw new Error(`Patroni of ${ended.name} ended by itself`)
      if (performance.now() > giveUpAt) {
        throw new Error(`the cluster does not recover: ${JSON.stringify(states)}`)
      }
      await this.#copyStrays(states)
      await sleep(250)
    }
  }

  /**
   * Patroni does not always see that a standby is ahead of the new primary by what nobody had acknowledged, and
   * starts it again and again. Operators use `patronictl reinit` then.
   */
  async #copyStrays(states: readonly MemberState[]): Promise<void> {
    const now = performance.now()
    const hasLeader = states.some(({ role, state }) => role === 'leader' && state === 'running')
    for (const member of this.#members) {
      const found = states.find(({ name }) => name === member.name)
      const follows = found?.role === 'leader' || found?.state === 'streaming'
      if (follows || !hasLeader || !member.isRunning) this.#straying.delete(member)
      else if (!this.#straying.has(member)) this.#straying.set(member, now)
      if (now - (this.#straying.get(member) ?? now) < strayMaxMs) continue
      this.#straying.delete(member)
      await member.reinitialize()
    }
  }
}

function hasBoth(states: readonly MemberState[], standbyRole: string): boolean {
  const leaders = states.filter(({ role, state }) => role === 'leader' && state === 'running')
  const standby = states.find(({ role, state }) => role === standbyRole && state === 'streaming')
  return leaders.length === 1 && standby !== undefined
}

const isWhole = (states: readonly MemberState[], { members }: ClusterSettings): boolean =>
  states.length === members &&
  states.every(({ role, state }) => role === 'leader' || state === 'streaming')
