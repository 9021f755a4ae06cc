/**
 * The members of an audit record that LookupEvents returns and searches by.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 * @module
 */
import { hash } from 'node:crypto'
import { tokenBytes, type Token } from '../../store/tables/event-postings.ts'
import { countedCall } from '../records/counted-call.ts'
import {
  lookupAttributes,
  type EventFacts,
  type EventScope,
  type IndexedEvent,
  type IndexedResource,
  type LookupAttribute,
} from '../../model/audit-event.ts'
import { eventResources } from './event-resources.ts'

type Given = Readonly<Record<string, unknown>>

type LookedUp = NonNullable<EventScope['attribute']>

/** Of the index's 48 bits: the year 10889. */
const lastTime = 2 ** 48 - 1

/**
 * Returns undefined for a text that is not a record of this server: the journal's files are not
 * trusted.
 */
export function indexedEvent(text: string): IndexedEvent | undefined {
  const record = readObject(text)
  const facts = record && factsOf(record)
  const time = Date.parse(textOf(record?.['eventTime']) ?? '')
  const eventId = textOf(record?.['eventID'])
  const isTime = time >= 0 && time <= lastTime
  return facts && isTime && eventId ? { ...facts, time, eventId, text } : undefined
}

/** @param members of `RecordFacts` */
export function factsOfMembers(members: string): EventFacts | undefined {
  const record = readObject(members)
  return record && factsOf(record)
}

function readObject(text: string): Given | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Reads only members that `recordFacts` keeps. */
function factsOf(record: Given): EventFacts | undefined {
  const accountId = textOf(record['recipientAccountId'])
  const region = textOf(record['awsRegion'])
  if (!accountId || !region) return undefined
  const identity = isObject(record['userIdentity']) ? record['userIdentity'] : {}
  const username = usernameOf(identity)
  const counted = countedCall(record, { accountId, region })
  const accessKeyId = textOf(identity['accessKeyId'])
  const { shown: resources, hidden } = eventResources(record)
  return {
    accountId,
    region,
    eventName: textOf(record['eventName']) ?? '',
    eventSource: textOf(record['eventSource']) ?? '',
    readOnly: String(record['readOnly'] === true),
    ...(username !== undefined && { username }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(counted && { counted }),
    resources,
    hiddenResources: hidden,
  }
}

type FactsAttribute = Exclude<LookupAttribute, 'EventId'>

const valuesByAttribute: Readonly<
  Record<FactsAttribute, (facts: EventFacts) => readonly string[]>
> = {
  AccessKeyId: ({ accessKeyId }) => (accessKeyId === undefined ? [] : [accessKeyId]),
  EventName: ({ eventName }) => [eventName],
  EventSource: ({ eventSource }) => [eventSource],
  ReadOnly: ({ readOnly }) => [readOnly],
  ResourceName: (event) => allResources(event).map(({ name }) => name),
  ResourceType: (event) => allResources(event).flatMap(({ type }) => type ?? []),
  Username: ({ username }) => (username === undefined ? [] : [username]),
}

function allResources(event: EventFacts): readonly IndexedResource[] {
  const { resources, hiddenResources = [] } = event
  return [...resources, ...hiddenResources]
}

/** The attributes by which events with these facts are found, without `EventId`. */
export function attributesOf(facts: EventFacts): readonly LookedUp[] {
  return lookupAttributes.flatMap((name) =>
    name === 'EventId' ? [] : valuesByAttribute[name](facts).map((value) => ({ name, value })),
  )
}

/**
 * The index's token of a scope. Two scopes hardly ever have the same; then a look-up opens some blocks
 * in vain.
 */
export function tokenOf({ accountId, region, attribute }: EventScope): Token {
  // The value needs no length prefix, because it comes last.
  const text = `${accountId}/${region}/${attribute?.name ?? ''}/${attribute?.value ?? ''}`
  return hash('sha256', text, 'latin1').slice(0, tokenBytes)
}

export function isIn(event: IndexedEvent, scope: EventScope): boolean {
  const { accountId, region, attribute } = scope
  return (
    event.accountId === accountId &&
    event.region === region &&
    (attribute === undefined || hasAttribute(event, attribute))
  )
}

function hasAttribute(event: IndexedEvent, { name, value }: LookedUp): boolean {
  if (name === 'EventId') return event.eventId === value
  return valuesByAttribute[name](event).includes(value)
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
