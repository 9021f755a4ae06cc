/** Faults of nodes and of the database, each with its end. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seeded } from '../durability/seeded.ts'
import { leaderSeconds, type Cluster } from './cluster.ts'
import type { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import type { NodeProcess } from './node-process.ts'

export interface FaultCounts {
  readonly faults: Map<string, number>
}

export interface Faults {
  /** Ends what is going on, and resolves when everything is whole again. */
  readonly stop: () => Promise<void>
}

type NodeFault = readonly [
  weight: number,
  name: string,
  (node: NodeProcess, random: Seeded) => Promise<unknown>,
]
type DatabaseFault = readonly [
  weight: number,
  name: string,
  (cluster: Cluster, leader: Member, random: Seeded) => Promise<unknown>,
]

const seconds = (random: Seeded, least: number, most: number): Promise<void> =>
  sleep(1000 * (least + random.below(1000) * ((most - least) / 1000)))
const waiting = (random: Seeded): 'deliver' | 'drop' => random.oneOf(['deliver', 'drop']) ?? 'drop'

const nodeFaults: readonly NodeFault[] = [
  [
    1,
    'node killed',
    async (node, random) => {
      await node.killed()
      await seconds(random, 0, 1.5)
      await node.start()
    },
  ],
  [
    1,
    'node stopped',
    async (node) => {
      await node.terminate()
      await node.start()
    },
  ],
  [
    4,
    'node paused',
    async (node, random) => {
      node.pause()
      await seconds(random, 0.5, 7)
      node.resume()
    },
  ],
  [
    3,
    'node cut off from the database',
    async ({ links }, random) => {
      for (const link of links) link.cut()
      await seconds(random, 0.5, 8)
      const how = waiting(random)
      for (const link of links) link.heal(how)
    },
  ],
  [
    3,
    'node slow to the database',
    async ({ links }, random) => {
      const delayMs = 20 + random.below(600)
      for (const link of links) link.slow(delayMs)
      await seconds(random, 2, 6)
      for (const link of links) link.heal('deliver')
    },
  ],
  [
    2,
    'clock of a node skewed',
    async (node, random) => {
      await node.skew((random.below(1200) - 600) * 1000)
      await seconds(random, 1, 5)
      await node.skew(0)
    },
  ],
  [
    2,
    'disk of a node full',
    async (node, random) => {
      node.fillDisk()
      await seconds(random, 1, 4)
      node.emptyDisk()
    },
  ],
]

const crash: DatabaseFault = [
  8,
  'PostgreSQL of the primary killed',
  async (_cluster, leader) => leader.killPostgres(),
]

const databaseFaults: readonly DatabaseFault[] = [
  crash,
  [
    6,
    'switchover',
    async (cluster, leader) => {
      await cluster.switchover(leader)
    },
  ],
  [
    2,
    'primary killed',
    async (_cluster, leader, random) => {
      leader.kill()
      await seconds(random, 1, leaderSeconds + 5)
      await leader.restart()
    },
  ],
  [
    2,
    'primary paused',
    async (_cluster, leader, random) => {
      leader.pause()
      await seconds(random, 1, leaderSeconds + 8)
      leader.resume()
    },
  ],
  [
    2,
    'primary cut off',
    async (_cluster, leader, random) => {
      leader.cut()
      await seconds(random, 1, leaderSeconds + 8)
      leader.heal(waiting(random))
    },
  ],
  [
    1,
    'Patroni of the primary killed',
    async (_cluster, leader, random) => {
      leader.killPatroni()
      await seconds(random, 1, leaderSeconds + 5)
      await leader.restart()
    },
  ],
  [
    2,
    'standby paused',
    async (cluster, leader, random) => {
      const standby = random.oneOf(cluster.members.filter((each) => each !== leader))
      standby?.pause()
      await seconds(random, 1, 10)
      standby?.resume()
    },
  ],
  [
    1,
    'standby killed',
    async (cluster, leader, random) => {
      const standby = random.oneOf(cluster.members.filter((each) => each !== leader))
      standby?.kill()
      await seconds(random, 1, 5)
      await standby?.restart()
    },
  ],
]

/** Begins to make faults: one at a time on each node, and one at a time on the database. */
export function startFaults(
  fleet: Fleet,
  cluster: Cluster,
  randomOf: (actor: number) => Seeded,
  counts: FaultCounts,
  onFault: (what: string) => void,
): Faults {
  const stopping = new AbortController()
  const { signal } = stopping
  const rest = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal }).catch(() => undefined)
  const count = (name: string): void => {
    counts.faults.set(name, (counts.faults.get(name) ?? 0) + 1)
    onFault(name)
  }
  const possible = nodeFaults.filter(([, name]) => fleet.hasDisks || !name.startsWith('disk'))
  const nodes = fleet.processes.map(async (node, index) => {
    const random = randomOf(index + 1)
    while (!signal.aborted) {
      await rest(300 + random.below(2500))
      if (signal.aborted) return
      const [, name, make] = chosen(possible, random)
      count(name)
      await make(node, random)
    }
  })
  const database = async (): Promise<void> => {
    const random = randomOf(0)
    let isFirst = true
    while (!signal.aborted) {
      await rest(500 + random.below(2500))
      const leader = await cluster.leader()
      if (signal.aborted || leader === undefined) continue
      // A short run has at least one failover.
      const [, name, make] = isFirst ? crash : chosen(databaseFaults, random)
      isFirst = false
      count(name)
      await make(cluster, leader, random)
      // What the members say of each other is a second old.
      await rest(1500)
      await cluster.usable(120_000)
    }
  }
  const running = Promise.all([...nodes, database()])
  running.catch(() => undefined) // reported by `stop`
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

function chosen<T extends readonly [number, ...unknown[]]>(
  possible: readonly T[],
  random: Seeded,
): T {
  let left = random.below(possible.reduce((all, [weight]) => all + weight, 0))
  for (const fault of possible) {
    left -= fault[0]
    if (left < 0) return fault
  }
  throw new Error('no fault')
}
