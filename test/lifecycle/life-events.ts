/** The events of the service that a server has recorded, against those that the models of its keys' lives say. */
import assert from 'node:assert/strict'
import { recordsOf } from '../compat/records.ts'
import type { Living } from './lives.ts'

/** Each event of each key as often as the model says, and under an id of its own. */
export async function compareEvents(
  dataDirectory: string,
  livings: readonly Living[],
): Promise<void> {
  const records = await recordsOf(dataDirectory)
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
  const seen = new Map<string | undefined, string[]>()
  for (const { eventType, eventSource, eventName, awsRegion, resources } of records) {
    // Trails log that they have begun to deliver.
    if (eventType !== 'AwsServiceEvent' || eventSource !== 'kms.amazonaws.com') continue
    const keyId = resources[0]?.['ARN']?.split('/').at(-1)
    seen.set(keyId, [...(seen.get(keyId) ?? []), `${eventName} ${awsRegion}`])
  }
  for (const { key, life } of livings) {
    const real = seen.get(key.keyId) ?? []
    seen.delete(key.keyId)
    assert.deepEqual(real.toSorted(), life.events.toSorted(), `events of ${key.keyId}`)
  }
  assert.deepEqual([...seen.entries()], [], 'events of other keys')
}
