/**
 * Refused uses of keys that are disabled or on their way to deletion: somebody still needs such a key, and
 * whoever is to be woken hears of it. Best effort, behind the call's audit record: a process that dies in
 * between tells nobody, and of what comes in numbers some is told. The record is always there.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-creating-cloudwatch-alarm.html
 * @module
 */
import type { Random } from '../model/clock.ts'
import { keyArn, type KeyRecord, type KeyState } from '../model/key.ts'
import type { Store } from '../store/store.ts'
import { refusedUseEvent } from './key-event.ts'

/** A use that the key's state did not allow, and that is on record. */
export interface RefusedUse {
  readonly key: KeyRecord
  readonly partition: string
  /** The audit record that the key's account has of it. */
  readonly record: string
  /** Of the record, in milliseconds since the epoch. */
  readonly time: number
}

export interface RefusedUses {
  /** Answers at once. */
  note(use: RefusedUse): void
  /** Resolves when those that were noted are kept. */
  settled(): Promise<void>
}

const states: readonly KeyState[] = ['Disabled', 'PendingDeletion', 'PendingReplicaDeletion']

/** A caller can ask as often as he likes: of one key one event in this time, in milliseconds, … */
const quietMs = 60_000
/** … and so many of all keys. */
const toldMax = 100

export function createRefusedUses(ports: {
  readonly store: Pick<Store, 'saveOutgoingEvent'>
  readonly random: Pick<Random, 'uuid'>
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number
  /** Hears of each that is too much. */
  readonly onLimited: () => void
  readonly onError: (error: Error) => void
}): RefusedUses {
  /** When each key was last told of, oldest first: `toldMax` at most. */
  const told = new Map<string, number>()
  const saving = new Set<Promise<void>>()
  return {
    note({ key, partition, record, time }) {
      if (!states.includes(key.state)) return
      const now = ports.monotonic()
      for (const [arn, at] of told) if (now - at >= quietMs) told.delete(arn)
      const arn = keyArn(partition, key)
      if (told.has(arn) || told.size >= toldMax) return ports.onLimited()
      told.set(arn, now)
      const event = refusedUseEvent(key, record, { eventId: ports.random.uuid(), time, partition })
      const saved = ports.store
        .saveOutgoingEvent(event)
        .catch((cause: unknown) =>
          ports.onError(new Error('the event of a refused use could not be kept', { cause })),
        )
        .finally(() => saving.delete(saved))
      saving.add(saved)
    },
    settled: async () => void (await Promise.all(saving)),
  }
}
