/**
 * Compares the service events that a server has recorded with those that the models of its keys
 * predict.
 */
import assert from 'node:assert/strict'
import { recordsOf } from '../compat/records.ts'
import type { Living } from './lives.ts'

/** Each event of each key occurs as often as the model says, with a unique id. */
export async function compareEvents(
  dataDirectory: string,
  livings: readonly Living[],
): Promise<void> {
  const records = await recordsOf(dataDirectory)
  assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)
  const seen = new Map<string | undefined, string[]>()
  for (const { eventType, eventSource, eventName, awsRegion, resources } of records) {
    // Trails log the start of their delivery.
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
