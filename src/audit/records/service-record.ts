/** Records of the server's own actions, without a caller: CloudTrail's `AwsServiceEvent`. @module */
import { keyArn } from '../../model/key.ts'
import type { KeyStoreServiceEvent, ServiceEvent } from '../../model/service-event.ts'
import { eventTime } from '../../model/event-time.ts'

interface OwnEvent {
  readonly eventId: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly eventName: string
  readonly accountId: string
  readonly region: string
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** A record about the deployment itself: the first account, its root access key. */
export function serviceRecord(event: OwnEvent): string {
  return ownRecord(event, { source: 'trent.amazonaws.com', agent: 'trent' })
}

/** A record of what the service did to a key on its own, in AWS's form. */
export function keyServiceRecord(
  { eventName, key, details, additional, answersArn }: ServiceEvent,
  of: { readonly eventId: string; readonly time: number; readonly partition: string },
): string {
  const { accountId, region } = key
  const { eventId, time, partition } = of
  const arn = keyArn(partition, key)
  return ownRecord(
    { eventId, time, eventName, accountId, region, details },
    {
      source: 'kms.amazonaws.com',
      agent: 'AWS Internal',
      resources: [{ accountId, type: 'AWS::KMS::Key', ARN: arn }],
      responseElements: answersArn ? { keyId: arn } : undefined,
      additionalEventData: additional,
    },
  )
}

/** A record of what the service did to a custom key store on its own. */
export function keyStoreServiceRecord(
  { eventName, store, details }: KeyStoreServiceEvent,
  { eventId, time }: { readonly eventId: string; readonly time: number },
): string {
  const { accountId, region } = store
  return ownRecord(
    { eventId, time, eventName, accountId, region, details },
    { source: 'kms.amazonaws.com', agent: 'AWS Internal' },
  )
}

function ownRecord(
  event: OwnEvent,
  of: {
    readonly source: string
    readonly agent: string
    readonly resources?: readonly object[]
    readonly responseElements?: object | undefined
    readonly additionalEventData?: object | undefined
  },
): string {
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: { accountId: event.accountId, invokedBy: of.agent },
    eventTime: eventTime(event.time),
    eventSource: of.source,
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: of.agent,
    userAgent: of.agent,
    requestParameters: null,
    responseElements: of.responseElements ?? null,
    ...(of.additionalEventData && { additionalEventData: of.additionalEventData }),
    eventID: event.eventId,
    readOnly: false,
    ...(of.resources && { resources: of.resources }),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: event.accountId,
    ...(event.details && { serviceEventDetails: event.details }),
    eventCategory: 'Management',
  })
}
