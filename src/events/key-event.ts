/**
 * Events of keys in the form of Amazon EventBridge, so that rules, routers and functions made for AWS
 * can read them. They hold no key material, and of a caller's input only what audit records hold.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html
 * @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 * @module
 */
import { eventTime } from '../model/event-time.ts'
import { keyArn, type KeyRef } from '../model/key.ts'
import type { BreakGlassAct } from '../model/break-glass.ts'
import type { OutgoingEvent } from '../model/outgoing-event.ts'
import type { ServiceEvent } from '../model/service-event.ts'

/** The service events that are sent, by CloudTrail's name for them. */
const sentEvents: ReadonlyMap<
  string,
  { readonly detailType: string; readonly isGuaranteed: boolean }
> = new Map([
  ['RotateKey', { detailType: 'KMS CMK Rotation', isGuaranteed: false }],
  [
    'DeleteExpiredKeyMaterial',
    { detailType: 'KMS Imported Key Material Expiration', isGuaranteed: false },
  ],
  ['DeleteKey', { detailType: 'KMS CMK Deletion', isGuaranteed: true }],
])

interface Made {
  readonly eventId: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly partition: string
}

/**
 * Returns undefined for events that are not sent, such as the synchronization of a multi-Region key.
 */
export function serviceKeyEvent(
  { eventName, key }: ServiceEvent,
  made: Made,
): OutgoingEvent | undefined {
  const kind = sentEvents.get(eventName)
  if (kind === undefined) return undefined
  const { detailType, isGuaranteed } = kind
  const detail = JSON.stringify({ 'key-id': key.keyId })
  const resources = [keyArn(made.partition, key)]
  return outgoing(key, made, { detailType, isGuaranteed, resources, detail })
}

/**
 * The event of a call that was refused because of a key's state, in the form that EventBridge gives to
 * API calls: `detail` is the audit record of the key's account, which alone names the resources.
 */
export function refusedUseEvent(key: KeyRef, record: string, made: Made): OutgoingEvent {
  const detailType = 'AWS API Call via CloudTrail'
  return outgoing(key, made, { detailType, isGuaranteed: false, resources: [], detail: record })
}

/** Trent's own event, in the same form: an operator acted in spite of every policy. */
export function breakGlassEvent(
  { accountId, region, arn, ...detail }: BreakGlassAct,
  made: Omit<Made, 'partition'>,
): OutgoingEvent {
  return outgoingAbout(arn, { accountId, region }, made, {
    source: 'trent',
    detailType: 'Trent Break Glass',
    isGuaranteed: true,
    resources: [arn],
    detail: JSON.stringify(detail),
  })
}

function outgoing(key: KeyRef, made: Made, of: Omit<Outgoing, 'source'>): OutgoingEvent {
  return outgoingAbout(keyArn(made.partition, key), key, made, { ...of, source: 'aws.kms' })
}

interface Outgoing {
  readonly source: 'aws.kms' | 'trent'
  readonly detailType: string
  readonly isGuaranteed: boolean
  readonly resources: readonly string[]
  /** One line of JSON. */
  readonly detail: string
}

function outgoingAbout(
  subject: string,
  { accountId, region }: Pick<KeyRef, 'accountId' | 'region'>,
  { eventId, time }: Omit<Made, 'partition'>,
  of: Outgoing,
): OutgoingEvent {
  const envelope = JSON.stringify({
    version: '0',
    id: eventId,
    'detail-type': of.detailType,
    source: of.source,
    account: accountId,
    time: eventTime(time),
    region,
    resources: of.resources,
  })
  return {
    eventId,
    subject,
    isGuaranteed: of.isGuaranteed,
    madeAt: time,
    body: `${envelope.slice(0, -1)},"detail":${of.detail}}`,
  }
}
