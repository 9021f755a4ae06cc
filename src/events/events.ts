/** Events as a whole: what is told, and the job that tells it, where the settings name a webhook. @module */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { createJobs, type Jobs } from '../jobs/jobs.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { Store } from '../store/store.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createRefusedUses, type RefusedUses } from './refused-uses.ts'
import { createSendEvents, type EventOutcome } from './send-events.ts'
import { postWebhook, type WebhookTarget } from '../webhooks/webhook.ts'

export interface EventPorts {
  /** Undefined where nobody is told. */
  readonly webhook: WebhookTarget | undefined
  /** Where the dead letters are. */
  readonly dataDirectory: string
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly onOutcome: (outcome: EventOutcome, events: number) => void
  readonly log: Pick<Logger, 'error'>
  /** Another worker sends what waits: here events are made only. */
  readonly sentElsewhere?: true | undefined
}

export interface Events {
  /** Whether anybody is told: if not, no event is made. */
  readonly areTold: boolean
  readonly refusedUses: Pick<RefusedUses, 'note'>
  /** After whatever makes events. What waits is sent by the next process. */
  close(): Promise<void>
}

export function openEvents(ports: EventPorts): Events {
  const { webhook, store, random, onOutcome, log } = ports
  if (webhook === undefined) {
    return {
      areTold: false,
      refusedUses: { note: () => undefined },
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
  const sending = ports.sentElsewhere ? undefined : sends(ports, webhook, onError)
  return {
    areTold: true,
    refusedUses,
    async close() {
      await sending?.close()
      await refusedUses.settled()
    },
  }
}

function sends(
  { dataDirectory, store, clock, random, onOutcome }: EventPorts,
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
  // A lane of its own: nothing waits for a webhook that hangs.
  return createJobs({
    jobs: [sendEvents],
    clock,
    onError: (job, cause) => onError(new Error(`${job}: it is tried again`, { cause })),
  })
}
