/** What tests of CloudTrail's API share: a client, and events as soon as they can be looked up. @module */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CloudTrailClient,
  LookupEventsCommand,
  type Event,
  type LookupAttributeKey,
  type LookupEventsCommandInput,
} from '@aws-sdk/client-cloudtrail'
import { credentials, region, type TestServer } from '../harness.ts'

const patienceMs = 60_000

type Settings = ConstructorParameters<typeof CloudTrailClient>[0]

export function trailClient(
  t: { after(end: () => void): void },
  server: Pick<TestServer, 'url'>,
  settings: Settings = {},
): CloudTrailClient {
  const common = { endpoint: server.url, region, credentials, maxAttempts: 1 }
  const client = new CloudTrailClient({ ...common, ...settings })
  t.after(() => client.destroy())
  return client
}

export function by(AttributeKey: LookupAttributeKey, AttributeValue: string) {
  return { LookupAttributes: [{ AttributeKey, AttributeValue }] }
}

/** All events that are asked for, page by page. */
export async function lookUp(
  client: CloudTrailClient,
  input: LookupEventsCommandInput = {},
): Promise<readonly Event[]> {
  const events: Event[] = []
  let NextToken: string | undefined
  do {
    const page = await client.send(new LookupEventsCommand({ ...input, NextToken }))
    events.push(...(page.Events ?? []))
    ;({ NextToken } = page)
  } while (NextToken !== undefined)
  return events
}

/** The same once there are `count` of them; a machine may be busy with other tests. */
export async function lookUpSoon(
  client: CloudTrailClient,
  count: number,
  input: LookupEventsCommandInput = {},
): Promise<readonly Event[]> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const events = await lookUp(client, input)
    if (events.length >= count) return events
    assert(performance.now() < deadline, `${events.length} of ${count} events were found`)
    await sleep(100)
  }
}
