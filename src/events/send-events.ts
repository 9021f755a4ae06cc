/**
 * The job that sends events to the webhook: in order for each key, and for several keys at once.
 *
 * INVARIANT (at least once): an event's row is deleted only after the webhook has answered with
 * success, or after the event is durable among the dead letters. The next process sends what a process
 * leaves, with the same id and the same bytes. A guaranteed event (a deletion) is never dropped in any
 * other way.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { Random } from '../model/clock.ts'
import type { OutgoingEvent, WaitingEvent } from '../model/outgoing-event.ts'
import type { WaitingEvents } from '../store/outgoing-event-store.ts'
import type { Store } from '../store/store.ts'
import { createBackOff, type BackOff } from '../webhooks/back-off.ts'
import type { DeadLetters } from './dead-letters.ts'

/**
 * What happened to an event. `failed` counts attempts, and `limited` counts events that were not made.
 */
export type EventOutcome = 'delivered' | 'failed' | 'dead' | 'dropped' | 'limited'

export interface SendEventsDependencies {
  readonly store: Pick<
    Store,
    'listNextEvents' | 'listOldestEvents' | 'deleteOutgoingEvents' | 'eventFigures'
  >
  /** @throws when the webhook did not take the event */
  readonly post: (event: OutgoingEvent, signal: AbortSignal) => Promise<void>
  readonly deadLetters: DeadLetters
  /** Milliseconds of a clock that nobody can set. */
  readonly monotonic: () => number
  readonly random: Pick<Random, 'bytes'>
  readonly onOutcome: (outcome: EventOutcome, events: number) => void
  readonly onError: (error: Error) => void
  readonly limits?: Partial<SendLimits>
}

interface SendLimits {
  /** How long an event is retried, in milliseconds. */
  readonly triedMs: number
  /** The most events that may wait while the webhook takes none. */
  readonly waitingMax: number
}

/** Events sent at once, each of another key, … */
const atOnceMax = 8
/** … of which this many are of keys that have not failed, if there are enough. */
const freshMax = 6
/** Events given up at once: their lines are one write. */
const givenUpMax = 500

export function createSendEvents(dependencies: SendEventsDependencies): Job {
  const { store, onOutcome, onError } = dependencies
  const { triedMs = 24 * 3_600_000, waitingMax = 10_000 } = dependencies.limits ?? {}
  const backOff = createBackOff(dependencies.monotonic, dependencies.random)

  const giveUp = async (
    events: readonly WaitingEvent[],
    why: string,
    now: number,
  ): Promise<number> => {
    if (events.length === 0) return 0
    const written = await dependencies.deadLetters.append(events, why, now)
    const gone = written ? events : events.filter(({ isGuaranteed }) => !isGuaranteed)
    const what = written ? 'are in dead-events.jsonl' : 'are lost: dead-events.jsonl is full'
    if (gone.length < events.length) onError(new Error('dead-events.jsonl is full: deletions wait'))
    if (gone.length > 0) onError(new Error(`events given up (${gone.length}) ${what}: ${why}`))
    await store.deleteOutgoingEvents(gone.map(({ position }) => position))
    onOutcome(written ? 'dead' : 'dropped', gone.length)
    return gone.length
  }
  const makeRoom = async (now: number, signal: AbortSignal): Promise<void> => {
    let which: Parameters<Store['listOldestEvents']>[1] = {}
    while (!signal.aborted) {
      const excess = (await store.eventFigures()).waiting - waitingMax
      if (excess <= 0) return
      const listed = await store.listOldestEvents(Math.min(excess, givenUpMax), which)
      const gone = await giveUp(await genuine(store, listed), `more than ${waitingMax} wait`, now)
      if (gone + listed.forged.length > 0) continue
      // All events listed are guaranteed and stay; events that are not guaranteed go first.
      if (which.isGuaranteed === false) return
      which = { isGuaranteed: false }
    }
  }

  return {
    name: 'send events',
    async run(now, signal) {
      if (backOff.isPaused()) return false
      const events = await nextEvents(store, backOff)
      const results = await Promise.all(
        events.map(async (event) => ({ event, why: await attempt(dependencies, event, signal) })),
      )
      const taken = results.filter(({ why }) => why === undefined).map(({ event }) => event)
      await store.deleteOutgoingEvents(taken.map(({ position }) => position))
      onOutcome('delivered', taken.length)
      if (signal.aborted) return false
      const failed = results.filter(({ why }) => why !== undefined)
      backOff.after(
        taken.map(({ subject }) => subject),
        failed.map(({ event: { subject } }) => subject),
      )
      if (failed.length > 0) {
        onOutcome('failed', failed.length)
        const message = 'the webhook did not take events: they are tried again'
        onError(new Error(message, { cause: failed[0]?.why }))
        const old = failed.map(({ event }) => event).filter(({ madeAt }) => now - madeAt >= triedMs)
        await giveUp(old, 'not taken in time', now)
        if (taken.length === 0) await makeRoom(now, signal)
      }
      return taken.length > 0
    },
  }
}

/** Keys that have failed come after keys that have not, whatever their order in the store. */
async function nextEvents(
  store: SendEventsDependencies['store'],
  backOff: BackOff,
): Promise<readonly WaitingEvent[]> {
  const listed = await store.listNextEvents(freshMax, backOff.failed())
  const fresh = await genuine(store, listed)
  const except = [...backOff.waiting(), ...fresh.map(({ subject }) => subject)]
  const others = await store.listNextEvents(atOnceMax - fresh.length, except)
  return [...fresh, ...(await genuine(store, others))]
}

/** Forged events are deleted: they have been reported, and would block those behind them. */
async function genuine(
  store: SendEventsDependencies['store'],
  { events, forged }: WaitingEvents,
): Promise<readonly WaitingEvent[]> {
  if (forged.length > 0) await store.deleteOutgoingEvents(forged)
  return events
}

/** @returns why the event was not taken; undefined when it was */
async function attempt(
  { post }: SendEventsDependencies,
  event: WaitingEvent,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    await post(event, signal)
    return undefined
  } catch (error) {
    return error ?? new Error('no reason')
  }
}
