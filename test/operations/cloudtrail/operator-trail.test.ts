/** Operator settings for trails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrailRecord } from '../../../src/model/trail.ts'
import { accountId, region } from '../../store/records.ts'
import { made, now, refused, world, type Answer } from './trail-world.ts'

const operatorTrail: TrailRecord = {
  accountId,
  homeRegion: region,
  name: 'operator',
  bucket: 'archive',
  multiRegion: true,
  includeGlobalServiceEvents: true,
  logFileValidation: true,
  selectors: [{ readWriteType: 'All', includeManagementEvents: true, excludedSources: [] }],
  isLogging: true,
  startedAt: 5000,
  createdAt: 5000,
  rowVersion: 1,
}

test('files that cannot be encrypted where they go are not said to be', async (t) => {
  const run = await world(t, { encrypts: false })
  await refused(run('CreateTrail', { ...made, KmsKeyId: '1234' }), 'UnsupportedOperationException')
})

test('the operator’s trail is seen by all, and changed by none', async (t) => {
  const run = await world(t, { operatorTrail: () => operatorTrail })
  const { Trails } = await run('ListTrails')
  assert.equal((Trails as readonly Answer[])[0]?.['Name'], 'operator')
  const { IsLogging } = await run('GetTrailStatus', { Name: 'operator' })
  assert.equal(IsLogging, true)
  for (const name of ['DeleteTrail', 'StopLogging', 'UpdateTrail']) {
    await refused(run(name, { Name: 'operator' }), 'OperationNotPermittedException')
  }
  await refused(run('CreateTrail', { ...made, Name: 'operator' }), 'TrailAlreadyExistsException')
})

test('public keys are told of the time that is asked for', async (t) => {
  const asked: (readonly [number, number])[] = []
  const run = await world(t, {
    digestPublicKeys(from, until) {
      asked.push([from, until])
      const value = Buffer.from('key')
      return Promise.resolve([{ value, fingerprint: 'f'.repeat(32), validFrom: 1, validUntil: 2 }])
    },
  })
  const day = (n: number): number => n * 86_400
  assert.deepEqual(await run('ListPublicKeys', { StartTime: day(1), EndTime: day(2) }), {
    PublicKeyList: [
      {
        Value: Buffer.from('key'),
        ValidityStartTime: new Date(1),
        ValidityEndTime: new Date(2),
        Fingerprint: 'f'.repeat(32),
      },
    ],
  })
  await run('ListPublicKeys')
  assert.deepEqual(asked, [
    [day(1) * 1000, day(2) * 1000],
    [now, now],
  ])
  await refused(
    run('ListPublicKeys', { StartTime: day(2), EndTime: day(1) }),
    'InvalidTimeRangeException',
  )
  await refused(run('ListPublicKeys', { NextToken: 'x' }), 'InvalidTokenException')
})
