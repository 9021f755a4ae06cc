/** What a trail takes, and how it is named. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defaultSelectors,
  readTrailArn,
  takes,
  trailArn,
  type TrailedRecord,
  type TrailRecord,
} from '../../src/model/trail.ts'

const second = 1_700_000_000_000
const trail: TrailRecord = {
  accountId: '111122223333',
  homeRegion: 'us-west-2',
  name: 'all',
  bucket: 'logs',
  multiRegion: true,
  includeGlobalServiceEvents: true,
  logFileValidation: true,
  selectors: defaultSelectors,
  isLogging: true,
  startedAt: second + 500,
  createdAt: second,
  rowVersion: 1,
}
const record: TrailedRecord = {
  recipientAccountId: '111122223333',
  awsRegion: 'eu-north-1',
  eventSource: 'kms.amazonaws.com',
  readOnly: true,
  time: second,
}
const excluding = (
  readWriteType: 'All' | 'ReadOnly' | 'WriteOnly',
  ...excludedSources: string[]
) => [{ readWriteType, includeManagementEvents: true, excludedSources }]
const iam = { ...record, eventSource: 'iam.amazonaws.com' }

const cases: readonly [string, Partial<TrailRecord>, Partial<TrailedRecord>, boolean][] = [
  ['a record of another Region', {}, {}, true],
  ['a record of another account', {}, { recipientAccountId: '444455556666' }, false],
  ['a record of another Region, of one Region only', { multiRegion: false }, {}, false],
  ['a record of its Region', { multiRegion: false }, { awsRegion: 'us-west-2' }, true],
  ['a global record', {}, iam, true],
  ['a global record, where those are left out', { includeGlobalServiceEvents: false }, iam, false],
  [
    'a record of the global STS, where those are left out',
    { includeGlobalServiceEvents: false },
    { eventSource: 'sts.amazonaws.com', awsRegion: 'us-east-1' },
    false,
  ],
  ['a record from before its start', {}, { time: second - 1000 }, false],
  ['anything, never started', { isLogging: false, startedAt: undefined as never }, {}, false],
  ['a record from before its stop', { isLogging: false, stoppedAt: second + 1000 }, {}, true],
  ['a record of the time of its stop', { isLogging: false, stoppedAt: second }, {}, false],
  ['KMS, where it is left out', { selectors: excluding('All', 'kms.amazonaws.com') }, {}, false],
  ['IAM, where KMS is left out', { selectors: excluding('All', 'kms.amazonaws.com') }, iam, true],
  ['a read, of reads', { selectors: excluding('ReadOnly') }, {}, true],
  ['a write, of reads', { selectors: excluding('ReadOnly') }, { readOnly: false }, false],
  ['a read, of writes', { selectors: excluding('WriteOnly') }, {}, false],
  ['a write, of writes', { selectors: excluding('WriteOnly') }, { readOnly: false }, true],
  [
    'anything, without management events',
    { selectors: excluding('All').map((all) => ({ ...all, includeManagementEvents: false })) },
    {},
    false,
  ],
]

for (const [what, members, of, taken] of cases) {
  test(`a trail ${taken ? 'takes' : 'does not take'} ${what}`, () => {
    assert.equal(takes({ ...trail, ...members }, { ...record, ...of }), taken)
  })
}

test('the ARN of a trail names it again, and that of something else names none', () => {
  const arn = trailArn('aws', trail)
  assert.equal(arn, 'arn:aws:cloudtrail:us-west-2:111122223333:trail/all')
  const { accountId, homeRegion, name } = trail
  assert.deepEqual(readTrailArn(arn), { accountId, homeRegion, name })
  assert.equal(readTrailArn('arn:aws:cloudtrail:us-west-2:111122223333:channel/all'), undefined)
  assert.equal(readTrailArn('arn:aws:kms:us-west-2:111122223333:trail/all'), undefined)
  assert.equal(readTrailArn('all'), undefined)
})
