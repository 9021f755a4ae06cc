/**
 * What the threads of one node know of the database together, in shared memory: the last change, the last
 * confirmation, and whether the database lost changes.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { lockWords, sharedLock } from '../../threads/shared-lock.ts'
import { ageMs, refusalOf, rewoundReason, type Freshness, type Moment } from '../freshness.ts'
import { judge, type Head, type SeenHistory } from '../history.ts'
import { systemMoment } from './moment.ts'
import { ChangesRefused, DatabaseFailed } from '../database.ts'

export type Replication = 'unknown' | 'single' | 'degraded' | 'synchronous'
const replications: readonly Replication[] = ['unknown', 'single', 'degraded', 'synchronous']

/** Between two looks for a standby. */
const standbyAgainMs = 100

const slot = {
  seq: 1,
  id: 2,
  rewound: 3,
  confirmed: 4,
  monotonic: 5,
  wall: 6,
  replication: 7,
  others: 8,
}
const slots = 9

export function headMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * BigInt64Array.BYTES_PER_ELEMENT)
}

export interface HeadRules {
  /** Milliseconds after which a confirmation counts no more. */
  readonly freshnessMs: number
  readonly requireSynchronous: boolean
}

export class SharedHead implements Freshness {
  readonly #numbers: BigInt64Array
  readonly #locked: <T>(work: () => T) => T
  readonly #rules: HeadRules

  constructor(memory: SharedArrayBuffer, rules: HeadRules) {
    this.#numbers = new BigInt64Array(memory)
    this.#locked = sharedLock(new Int32Array(memory, 0, lockWords))
    this.#rules = rules
  }

  /** The number of the last change that this node knows. */
  get seq(): number {
    return Number(Atomics.load(this.#numbers, slot.seq))
  }

  get known(): Head {
    return this.#locked(() => ({
      seq: Number(this.#get(slot.seq)),
      changeId: BigInt.asUintN(64, this.#get(slot.id)).toString(16).padStart(16, '0'),
    }))
  }

  get isRewound(): boolean {
    return this.#get(slot.rewound) === 1n
  }

  get replication(): Replication {
    return replications[Number(this.#get(slot.replication))] ?? 'unknown'
  }

  /** Whether another node was there at the last confirmation. */
  get hasOthers(): boolean {
    return this.#get(slot.others) > 0n
  }

  /**
   * Takes a change in, of a history that was compared with the known one. Returns whether it is later than
   * the known one.
   */
  raise({ seq, changeId }: Head): boolean {
    return this.#locked(() => {
      const known = Number(this.#get(slot.seq))
      const id = BigInt.asIntN(64, BigInt(`0x${changeId}`))
      if (known === seq && known > 0 && this.#get(slot.id) !== id) this.#set(slot.rewound, 1n)
      if (known > seq || (known === seq && known > 0)) return false
      this.#set(slot.id, id)
      // Last: threads read the number without the lock.
      this.#set(slot.seq, BigInt(seq))
      return known < seq
    })
  }

  /**
   * Takes in what a statement has read.
   * @param known what was known before the statement was sent
   * @throws {ChangesRefused} if the database lacks a change that this node has applied
   */
  takeIn(known: Head, seen: SeenHistory): void {
    if (judge(known, seen) === 'rewound') this.#set(slot.rewound, 1n)
    if (this.isRewound) throw new ChangesRefused(rewoundReason)
    this.raise(seen.head)
  }

  /** Counts as a confirmation, sent after `moment`. */
  confirm(moment: Moment, replication: Replication, others: number): void {
    this.#locked(() => {
      this.#set(slot.monotonic, BigInt(moment.monotonic))
      this.#set(slot.wall, BigInt(moment.wall))
      this.#set(slot.confirmed, 1n)
      this.#set(slot.others, BigInt(others))
    })
    this.see(replication)
  }

  see(replication: Replication): void {
    this.#set(slot.replication, BigInt(replications.indexOf(replication)))
  }

  moment(): Moment | undefined {
    return this.#locked(() =>
      this.#get(slot.confirmed) === 0n
        ? undefined
        : { monotonic: Number(this.#get(slot.monotonic)), wall: Number(this.#get(slot.wall)) },
    )
  }

  refusal(since = this.moment()): string | undefined {
    const knowledge = { confirmed: since, rewound: this.isRewound }
    return refusalOf(knowledge, systemMoment(), this.#rules.freshnessMs)
  }

  /**
   * Waits for a standby if there was one a moment ago: a new primary has none at first.
   * @throws {ChangesRefused} if nothing may be changed now
   */
  async untilChangeable(maxMs: number): Promise<void> {
    while (this.#lacksStandby && this.#confirmedMsAgo < maxMs) await sleep(standbyAgainMs)
    if (this.isRewound) throw new ChangesRefused(rewoundReason)
    if (this.#lacksStandby) throw new ChangesRefused(notSynchronous(this.replication))
  }

  get #lacksStandby(): boolean {
    const isRequired = this.#rules.requireSynchronous && this.#get(slot.confirmed) === 1n
    return isRequired && !this.isRewound && this.replication !== 'synchronous'
  }

  get #confirmedMsAgo(): number {
    const moment = this.moment()
    return moment === undefined ? Infinity : ageMs(moment, systemMoment())
  }

  #get(at: number): bigint {
    return Atomics.load(this.#numbers, at)
  }

  #set(at: number, value: bigint): void {
    Atomics.store(this.#numbers, at, value)
  }
}

export function notSynchronous(replication: Replication): string {
  return (
    `replication is ${replication}, and TRENT_REQUIRE_SYNCHRONOUS=true: ` +
    'no standby is sure to have each change'
  )
}

/** Reads the head from a row of a statement. @throws {DatabaseFailed} */
export function headOf(row: Readonly<Record<string, unknown>> | undefined): Head {
  const { seq, change_id: changeId } = row ?? {}
  if (typeof seq !== 'number' || typeof changeId !== 'string') {
    throw new DatabaseFailed('the number of a change could not be read')
  }
  // Nobody who follows it has applied a change with another form of id.
  return { seq, changeId: /^[\da-f]{16}$/.test(changeId) ? changeId : '0'.repeat(16) }
}
