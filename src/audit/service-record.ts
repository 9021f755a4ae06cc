/** Records of what the server does of itself, for no caller: CloudTrail's `AwsServiceEvent`. @module */
import { eventTime } from './event-time.ts'

interface OwnEvent {
  readonly eventId: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly eventName: string
  readonly accountId: string
  readonly region: string
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** What happens to the deployment itself: the first account, its root access key. */
export function serviceRecord(event: OwnEvent): string {
  return ownRecord(event, { source: 'trent.amazonaws.com', agent: 'trent' })
}

/** What happens to a key by the clock, in the words of AWS KMS. */
export function keyServiceRecord(
  event: OwnEvent & { readonly keyArn: string; readonly responseElements?: object | undefined },
): string {
  const { keyArn, accountId, responseElements } = event
  return ownRecord(event, {
    source: 'kms.amazonaws.com',
    agent: 'AWS Internal',
    resources: [{ accountId, type: 'AWS::KMS::Key', ARN: keyArn }],
    responseElements,
  })
}

function ownRecord(
  event: OwnEvent,
  of: {
    readonly source: string
    readonly agent: string
    readonly resources?: readonly object[]
    readonly responseElements?: object | undefined
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
