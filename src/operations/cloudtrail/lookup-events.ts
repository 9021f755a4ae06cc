/**
 * LookupEvents — returns the audit records of the caller's account and Region from the last 90 days, latest
 * first. It needs no trail.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 * @module
 */
import type { Event, LookupEventsRequest, LookupEventsResponse } from '@aws-sdk/client-cloudtrail'
import { KmsError } from '../../errors.ts'
import {
  eventHistoryMs,
  lookupAttributes,
  type EventScope,
  type IndexedEvent,
} from '../../model/audit-event.ts'
import { integer, list, oneOf, required, structure, text, timestamp } from '../../model/shape.ts'
import { openNextToken } from './next-token.ts'
import { trailOperation } from './trail-operation.ts'

const resultsMax = 50

export const lookupEvents = trailOperation<LookupEventsRequest, LookupEventsResponse>()({
  name: 'LookupEvents',
  input: {
    LookupAttributes: list(
      structure({
        AttributeKey: required(oneOf([...lookupAttributes])),
        AttributeValue: required(text({ min: 1, max: 2000 })),
      }),
      { max: 10 },
    ),
    StartTime: timestamp(),
    EndTime: timestamp(),
    EventCategory: oneOf(['insight']),
    MaxResults: integer(),
    NextToken: text({ min: 1, max: 4096 }),
  },
  permissions: () => [{ action: 'cloudtrail:LookupEvents', unnamedResource: true }],
  readOnly: true,
  audit: ['LookupAttributes', 'StartTime', 'EndTime', 'EventCategory', 'MaxResults', 'NextToken'],
  throws: [
    'ValidationException',
    'InvalidMaxResultsException',
    'InvalidLookupAttributesException',
    'InvalidTimeRangeException',
    'AccessDeniedException',
    'InvalidNextTokenException',
  ],
  check({ MaxResults, LookupAttributes = [], StartTime, EndTime }) {
    if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > resultsMax)) {
      throw new KmsError(
        'InvalidMaxResultsException',
        `A max results value of ${MaxResults} is invalid. Specify max results between 1 and 50.`,
      )
    }
    if (LookupAttributes.length > 1) {
      throw new KmsError(
        'InvalidLookupAttributesException',
        'You can only specify one lookup attribute.',
      )
    }
    if (StartTime !== undefined && EndTime !== undefined && EndTime < StartTime) {
      throw new KmsError(
        'InvalidTimeRangeException',
        'The start time must be before or at the end time.',
      )
    }
  },
  async run({ input, caller: { accountId }, region }, { clock, pages, events }) {
    const { LookupAttributes: [attribute] = [], MaxResults: limit = resultsMax } = input
    // The only other category is insights, and Trent has none.
    if (input.EventCategory !== undefined) return { Events: [] }
    const now = clock.now()
    const from = Math.max(input.StartTime?.getTime() ?? 0, now - eventHistoryMs)
    const until = Math.min(input.EndTime?.getTime() ?? Infinity, latestOf(now))
    const scope: EventScope = {
      accountId,
      region,
      ...(attribute && {
        attribute: { name: attribute.AttributeKey, value: attribute.AttributeValue },
      }),
    }
    // A token is valid only for the request that it was issued for.
    const question = JSON.stringify([
      'LookupEvents',
      scope,
      input.StartTime?.getTime(),
      input.EndTime?.getTime(),
    ])
    const after = openNextToken(pages, question, input.NextToken)
    const page = await events.lookup({ scope, from, until, limit, ...(after && { after }) })
    return {
      Events: page.events.map(shownEvent),
      ...(page.next !== undefined && { NextToken: pages.seal(question, page.next) }),
    }
  },
})

/** A day ahead, for events that arrive meanwhile or that are later than a clock that was set back. */
function latestOf(now: number): number {
  return now + 86_400_000
}

function shownEvent(event: IndexedEvent): Event {
  const { accessKeyId, username } = event
  return {
    EventId: event.eventId,
    EventName: event.eventName,
    ReadOnly: event.readOnly,
    ...(accessKeyId !== undefined && { AccessKeyId: accessKeyId }),
    EventTime: new Date(event.time),
    EventSource: event.eventSource,
    ...(username !== undefined && { Username: username }),
    Resources: event.resources.map(({ type, name }) => ({
      ...(type !== undefined && { ResourceType: type }),
      ResourceName: name,
    })),
    CloudTrailEvent: event.text,
  }
}
