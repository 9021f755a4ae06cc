/**
 * Sets up events: which are made, and the job that sends them if the settings name a webhook. @module
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createJobs, type Jobs } from '../jobs/jobs.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { Store } from '../store/store.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createRefusedUses, type RefusedUses } from './refused-uses.ts'
import { createSendEvents, type EventOutcome } from './send-events.ts'
import { postWebhook, type WebhookTarget } from '../webhooks/webhook.ts'

export interface EventDependencies {
  /** Undefined: no events are made. */
  readonly webhook: WebhookTarget | undefined
  /** The directory of the dead letters. */
  readonly dataDirectory: string
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly onOutcome: (outcome: EventOutcome, events: number) => void
  readonly log: Pick<Logger, 'error'>
  /** Another worker sends the events; this one only makes them. */
  readonly sentElsewhere?: true | undefined
}

export interface Events {
  /** Whether there is a webhook. Without one, no events are made. */
  readonly isEnabled: boolean
  readonly refusedUses: Pick<RefusedUses, 'note' | 'isNews'>
  /** Call it when nothing makes events any more. The next process sends the events that still wait. */
  close(): Promise<void>
}

export function openEvents(dependencies: EventDependencies): Events {
  const { webhook, store, random, onOutcome, log } = dependencies
  if (webhook === undefined) {
    return {
      isEnabled: false,
      refusedUses: { note: () => undefined, isNews: () => false },
      close: () => Promise.resolve(),
    }
  }
  const onError = (error: Error): void => log.error({ err: error }, error.message)
  const refusedUses = createRefusedUses({
    store,
    random,
    monotonic: () => performance.now(),
    onLimited: () => onOutcome('limited', 1),
    onError,
  })
  const jobs = dependencies.sentElsewhere ? undefined : startSending(dependencies, webhook, onError)
  return {
    isEnabled: true,
    refusedUses,
    async close() {
      await jobs?.close()
      await refusedUses.settled()
    },
  }
}

function startSending(
  { dataDirectory, store, clock, random, onOutcome }: EventDependencies,
  webhook: WebhookTarget,
  onError: (error: Error) => void,
): Jobs {
  const sendEvents = createSendEvents({
    store,
    post: ({ eventId: id, body }, signal) =>
      postWebhook(webhook, { id, body }, () => clock.system(), signal),
    deadLetters: createDeadLetters(join(dataDirectory, 'dead-events.jsonl')),
    monotonic: () => performance.now(),
    random,
    onOutcome,
    onError,
  })
  // Jobs of their own: a webhook that hangs must not delay other jobs.
  return createJobs({
    jobs: [sendEvents],
    clock,
    onError: (job, cause) => onError(new Error(`${job} failed and will be retried`, { cause })),
  })
}
