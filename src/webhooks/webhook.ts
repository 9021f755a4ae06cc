/**
 * One signed HTTP request to a webhook, as Standard Webhooks has it: the receiver checks who sent it and
 * knows one that comes again by its id. Whether and when to try again is the caller's affair.
 *
 *     webhook-signature: v1,base64(HMAC-SHA-256(secret, id ‖ "." ‖ timestamp ‖ "." ‖ body))
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * @module
 */
import { createHmac, type KeyObject } from 'node:crypto'

export interface WebhookTarget {
  readonly url: string
  readonly secret: KeyObject
}

export interface WebhookMessage {
  /** The same at each attempt. */
  readonly id: string
  /** JSON. */
  readonly body: string
}

/** Of the system's clock, milliseconds since the epoch: receivers refuse messages that are old. */
type SystemNow = () => number

const attemptMsMax = 10_000

/** @throws when the answer is not one of success, within ten seconds; no redirect is followed */
export async function postWebhook(
  { url, secret }: WebhookTarget,
  { id, body }: WebhookMessage,
  systemNow: SystemNow,
  signal: AbortSignal,
): Promise<void> {
  const timestamp = String(Math.floor(systemNow() / 1000))
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${mac}`,
    },
    body,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMsMax)]),
  })
  // What it says is of no interest, and may be without end.
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`)
}
