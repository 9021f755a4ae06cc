/**
 * One signed HTTP request to a webhook, in the form of Standard Webhooks. The receiver checks the
 * sender by the signature and recognizes a repetition by its id. Retries are up to the caller.
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
  /** The same for each attempt. */
  readonly id: string
  /** JSON. */
  readonly body: string
}

/** The system's clock, milliseconds since the epoch: receivers refuse messages with an old time. */
type SystemNow = () => number

const attemptMsMax = 10_000

/** @throws unless the webhook answers with success within ten seconds; redirects are not followed */
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
  // The body is not needed, and a hostile receiver could send it without end.
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`)
}
