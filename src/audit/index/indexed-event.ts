/**
 * The members of an audit record that LookupEvents returns and searches by.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 * @module
 */
import { hash } from 'node:crypto'
import { countedCall } from '../records/counted-call.ts'
import type {
  EventScope,
  IndexedEvent,
  IndexedResource,
  LookupAttribute,
} from '../../model/audit-event.ts'
import { eventResources } from './event-resources.ts'

type Given = Readonly<Record<string, unknown>>

/**
 * Returns undefined for a text that is not a record of this server: the journal's files are not
 * trusted.
 */
export function indexedEvent(text: string): IndexedEvent | undefined {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(record)) return undefined
  const time = Date.parse(textOf(record['eventTime']) ?? '')
  const accountId = textOf(record['recipientAccountId'])
  const region = textOf(record['awsRegion'])
  const eventId = textOf(record['eventID'])
  if (Number.isNaN(time) || !accountId || !region || !eventId) return undefined
  const identity = isObject(record['userIdentity']) ? record['userIdentity'] : {}
  const username = usernameOf(identity)
  const counted = countedCall(record, { accountId, region, time })
  const accessKeyId = textOf(identity['accessKeyId'])
  const { shown: resources, hidden } = eventResources(record)
  return {
    accountId,
    region,
    time,
    eventId,
    eventName: textOf(record['eventName']) ?? '',
    eventSource: textOf(record['eventSource']) ?? '',
    readOnly: String(record['readOnly'] === true),
    ...(username !== undefined && { username }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(counted && { counted }),
    resources,
    hiddenResources: hidden,
    text,
  }
}

const valuesByAttribute: Readonly<
  Record<LookupAttribute, (event: IndexedEvent) => readonly string[]>
> = {
  AccessKeyId: ({ accessKeyId }) => (accessKeyId === undefined ? [] : [accessKeyId]),
  EventId: ({ eventId }) => [eventId],
  EventName: ({ eventName }) => [eventName],
  EventSource: ({ eventSource }) => [eventSource],
  ReadOnly: ({ readOnly }) => [readOnly],
  ResourceName: (event) => allResources(event).map(({ name }) => name),
  ResourceType: (event) => allResources(event).flatMap(({ type }) => type ?? []),
  Username: ({ username }) => (username === undefined ? [] : [username]),
}

function allResources(event: IndexedEvent): readonly IndexedResource[] {
  const { resources, hiddenResources = [] } = event
  return [...resources, ...hiddenResources]
}

/** The values of an attribute by which an event is found. */
export function valuesOf(event: IndexedEvent, attribute: LookupAttribute): readonly string[] {
  return valuesByAttribute[attribute](event)
}

/** The index's token of a scope; different scopes have different tokens. */
export function tokenOf({ accountId, region, attribute }: EventScope): Buffer {
  // The value needs no length prefix, because it comes last.
  const text = `${accountId}/${region}/${attribute?.name ?? ''}/${attribute?.value ?? ''}`
  return hash('sha256', text, 'buffer').subarray(0, 16)
}

export function isIn(event: IndexedEvent, scope: EventScope): boolean {
  const { accountId, region, attribute } = scope
  return (
    event.accountId === accountId &&
    event.region === region &&
    (attribute === undefined || valuesOf(event, attribute.name).includes(attribute.value))
  )
}

/** The name of the user: for a session the last part of its id, for a root user `root`. */
function usernameOf(identity: Given): string | undefined {
  const userName = textOf(identity['userName'])
  if (userName !== undefined) return userName
  const type = textOf(identity['type'])
  if (type === 'Root') return 'root'
  const principalId = textOf(identity['principalId'])
  const colon = principalId?.indexOf(':') ?? -1
  return colon === -1 ? undefined : principalId?.slice(colon + 1)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
