/**
 * The time without service when the primary of the database dies, and when it is changed as planned. Patroni, etcd
 * and the nodes start as in the failure tests: three members in strict mode, two nodes, the default bound.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster, type Cluster } from '../../test/failures/cluster.ts'
import { Fleet } from '../../test/failures/fleet.ts'
import type { Member } from '../../test/failures/member.ts'
import { patroniPrograms } from '../../test/failures/patroni-programs.ts'
import { makeDatabase } from '../../test/failures/parts.ts'
import { untilReady } from '../../test/failures/round.ts'
import { print, tableHead, tableLine, type Column } from '../table.ts'

const pauseMs = 20
const recoverMsMax = 180_000
const kinds = ['uses', 'changes'] as const
type Kind = (typeof kinds)[number]

const columns: readonly Column[] = [
  { name: 'what', width: 18 },
  { name: 'Encrypt s', width: 9, digits: 1 },
  { name: 'changes s', width: 9, digits: 1 },
  { name: 'failed calls', width: 12, digits: 0 },
]

/** Calls without an end, over all nodes, and when each kind of them was answered. */
class Load {
  readonly answered: Record<Kind, number[]> = { uses: [], changes: [] }
  failed = 0
  readonly #fleet: Fleet
  readonly #loops: readonly Promise<void>[]
  #isOver = false

  constructor(fleet: Fleet, KeyId: string) {
    this.#fleet = fleet
    this.#loops = fleet.processes.flatMap((_, node) => [
      this.#loop('uses', node, 'Encrypt', () => ({ KeyId, Plaintext: Buffer.from('bench') })),
      this.#loop('changes', node, 'UpdateKeyDescription', (number) => ({
        KeyId,
        Description: `node ${node}, change ${number}`,
      })),
    ])
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
  }

  /** Waits until a call of each kind that began from now on is answered. */
  async untilServed(): Promise<void> {
    const since = performance.now()
    while (kinds.some((kind) => (this.answered[kind].at(-1) ?? 0) < since)) {
      if (performance.now() - since > recoverMsMax) throw new Error('the nodes do not recover')
      await sleep(pauseMs)
    }
  }

  /** The longest time without an answer since then, in seconds. */
  gap(kind: Kind, since: number): number {
    const times = this.answered[kind].filter((time) => time >= since)
    return Math.max(...times.map((time, index) => time - (times[index - 1] ?? since))) / 1000
  }

  async #loop(
    kind: Kind,
    node: number,
    operation: string,
    input: (number: number) => object,
  ): Promise<void> {
    for (let number = 0; !this.#isOver; number += 1) {
      const { kind: outcome } = await this.#fleet.call(node, 'root', operation, input(number))
      if (outcome === 'ok') this.answered[kind].push(performance.now())
      else this.failed += 1
      await sleep(pauseMs)
    }
  }
}

/** What happens to the primary, and what follows once another one is there. */
interface Event {
  readonly name: string
  readonly happens: (cluster: Cluster, leader: Member) => Promise<void>
  readonly repair: (leader: Member) => Promise<void>
}

const events: readonly Event[] = [
  {
    name: 'the primary dies',
    happens: async (_, leader) => leader.kill(),
    repair: (leader) => leader.restart(),
  },
  {
    name: 'a planned change',
    async happens(cluster, leader) {
      if (!(await cluster.switchover(leader)))
        throw new Error('Patroni refuses to change the primary')
    },
    repair: async () => undefined,
  },
]

/** @param times how often each of the events happens */
export async function measureFailover(times: number): Promise<void> {
  const programs = await patroniPrograms()
  if ('skip' in programs) {
    print(`\nFailover: left out, ${programs.skip}`)
    return
  }
  const cluster = await startCluster({ programs, members: 3, strict: true })
  let fleet: Fleet | undefined
  try {
    await cluster.healthy(recoverMsMax)
    await makeDatabase(cluster)
    fleet = await Fleet.start({
      nodes: 2,
      members: cluster.members.map(({ ports }) => ports.postgres),
      password: cluster.password,
      freshnessSeconds: 5,
      requireSynchronous: true,
    })
    await untilReady(fleet)
    await measureEvents(cluster, fleet, times)
  } finally {
    await fleet?.stop()
    fleet?.remove()
    await cluster.stop()
  }
}

async function measureEvents(cluster: Cluster, fleet: Fleet, times: number): Promise<void> {
  const made = await fleet.call(0, 'root', 'CreateKey', {})
  if (made.kind !== 'ok') throw new Error(`CreateKey: ${made.error}`)
  const { KeyId } = made.output['KeyMetadata'] as { readonly KeyId: string }
  const load = new Load(fleet, KeyId)
  print(`\nThe longest time without an answer, by either node\n${tableHead(columns)}`)
  for (let time = 0; time < times; time += 1) {
    for (const { name, happens, repair } of events) {
      await load.untilServed()
      const leader = await cluster.leader()
      if (leader === undefined) throw new Error('there is no primary')
      const [since, failed] = [performance.now(), load.failed]
      await happens(cluster, leader)
      while ([leader, undefined].includes(await cluster.leader())) await sleep(pauseMs)
      await load.untilServed()
      const row = {
        what: name,
        'Encrypt s': load.gap('uses', since),
        'changes s': load.gap('changes', since),
        'failed calls': load.failed - failed,
      }
      print(tableLine(row, columns))
      await repair(leader)
      await cluster.healthy(recoverMsMax)
      await untilReady(fleet)
    }
  }
  await load.stop()
}
