/**
 * Events of refused uses of keys that are disabled or pending deletion: somebody still needs the key,
 * and the webhook can alert a person. They are best effort, after the call's audit record: a process
 * that dies in between sends none, and a flood is limited. The audit record always exists.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-creating-cloudwatch-alarm.html
 * @module
 */
import type { Random } from '../model/clock.ts'
import { keyArn, type KeyRecord, type KeyState } from '../model/key.ts'
import type { Store } from '../store/store.ts'
import { refusedUseEvent } from './key-event.ts'

/** A use that the key's state did not allow, and that has an audit record. */
export interface RefusedUse {
  readonly key: KeyRecord
  readonly partition: string
  /** The audit record of the key's account. */
  readonly record: string
  /** Time of the record, in milliseconds since the epoch. */
  readonly time: number
}

export interface RefusedUses {
  /** Returns at once. */
  note(use: RefusedUse): void
  /** Whether `note` would send an event for a use of this key. */
  isNews(key: KeyRecord, partition: string): boolean
  /** Resolves when the events of all noted uses are stored. */
  settled(): Promise<void>
}

const states: readonly KeyState[] = ['Disabled', 'PendingDeletion', 'PendingReplicaDeletion']

/**
 * A caller can repeat the call without limit. Each key gets one event in this time, in milliseconds, …
 */
const quietMs = 60_000
/** … and all keys together get this many. */
const eventsMax = 100

export function createRefusedUses(dependencies: {
  readonly store: Pick<Store, 'saveOutgoingEvent'>
  readonly random: Pick<Random, 'uuid'>
  /** Milliseconds of a clock that nobody can set. */
  readonly monotonic: () => number
  /** Called for each event that is over the limit. */
  readonly onLimited: () => void
  readonly onError: (error: Error) => void
}): RefusedUses {
  /** The time of each key's last event, oldest first: at most `eventsMax` keys. */
  const lastSent = new Map<string, number>()
  const saving = new Set<Promise<void>>()
  const isTooMuch = (arn: string): boolean => {
    const now = dependencies.monotonic()
    for (const [each, at] of lastSent) if (now - at >= quietMs) lastSent.delete(each)
    return lastSent.has(arn) || lastSent.size >= eventsMax
  }
  return {
    isNews: (key, partition) => states.includes(key.state) && !isTooMuch(keyArn(partition, key)),
    note({ key, partition, record, time }) {
      if (!states.includes(key.state)) return
      const arn = keyArn(partition, key)
      if (isTooMuch(arn)) return dependencies.onLimited()
      lastSent.set(arn, dependencies.monotonic())
      const event = refusedUseEvent(key, record, {
        eventId: dependencies.random.uuid(),
        time,
        partition,
      })
      const saved = dependencies.store
        .saveOutgoingEvent(event)
        .catch((cause: unknown) =>
          dependencies.onError(
            new Error('the event of a refused use could not be kept', { cause }),
          ),
        )
        .finally(() => saving.delete(saved))
      saving.add(saved)
    },
    settled: async () => void (await Promise.all(saving)),
  }
}
