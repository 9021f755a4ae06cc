/** The resources that LookupEvents shows, for each kind of record. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventResources } from '../../../src/audit/index/event-resources.ts'

const id = '1234abcd-12ab-34cd-56ef-1234567890ab'
const arn = `arn:aws:kms:us-west-2:111122223333:key/${id}`
const alias = 'arn:aws:kms:us-west-2:111122223333:alias/team/one'
const key = { accountId: '111122223333', type: 'AWS::KMS::Key', ARN: arn }
const failed = { errorCode: 'AccessDenied' }

type Shown = readonly (readonly [type: string | undefined, name: string])[]

function shownOf(record: object): Shown {
  const whole = { eventSource: 'kms.amazonaws.com', readOnly: false, ...record }
  return eventResources(whole).shown.map(({ type, name }) => [type, name])
}

const both: Shown = [
  ['AWS::KMS::Key', id],
  ['AWS::KMS::Key', arn],
]

const cases: readonly (readonly [what: string, record: object, shown: Shown])[] = [
  ...'Encrypt Decrypt Sign Verify GenerateMac VerifyMac GenerateDataKey GenerateDataKeyPair DescribeKey'
    .split(' ')
    .map(
      (eventName) =>
        [
          eventName,
          {
            eventName,
            readOnly: true,
            requestParameters: { keyId: 'alias/a' },
            resources: [key],
          },
          [[undefined, 'alias/a']],
        ] as const,
    ),
  [
    'a refused Encrypt',
    { eventName: 'Encrypt', readOnly: true, ...failed, requestParameters: { keyId: id } },
    [[undefined, id]],
  ],
  [
    'a Decrypt without a key',
    { eventName: 'Decrypt', readOnly: true, requestParameters: {}, resources: [key] },
    [],
  ],
  [
    'ReEncrypt, by its destination',
    {
      eventName: 'ReEncrypt',
      readOnly: true,
      requestParameters: { sourceKeyId: 'alias/from', destinationKeyId: 'alias/to' },
      resources: [key, key],
    },
    [[undefined, 'alias/to']],
  ],
  ...['GetPublicKey', 'GetKeyPolicy', 'ListGrants'].map(
    (eventName) =>
      [
        eventName,
        { eventName, readOnly: true, requestParameters: { keyId: arn }, resources: [key] },
        [['AWS::KMS::Key', arn]],
      ] as const,
  ),
  [
    'a refused CreateGrant',
    { eventName: 'CreateGrant', ...failed, requestParameters: { keyId: id }, resources: [key] },
    [['AWS::KMS::Key', id]],
  ],
  ...[
    'CreateKey',
    'DisableKey',
    'CreateGrant',
    'RevokeGrant',
    'ScheduleKeyDeletion',
    'RotateKey',
  ].map(
    (eventName) =>
      [
        eventName,
        { eventName, requestParameters: { keyId: arn }, resources: [key] },
        both,
      ] as const,
  ),
  [
    'CreateAlias',
    { eventName: 'CreateAlias', resources: [key, { ...key, ARN: alias }] },
    [...both, ['AWS::KMS::Key', 'alias/team/one'], ['AWS::KMS::Key', alias]],
  ],
  ['what was not found', { eventName: 'Encrypt', readOnly: true, requestParameters: null }, []],
  ['GenerateRandom', { eventName: 'GenerateRandom', readOnly: true, resources: [] }, []],
  [
    'GetRole',
    {
      eventSource: 'iam.amazonaws.com',
      eventName: 'GetRole',
      requestParameters: { roleName: 'job' },
    },
    [['AWS::IAM::Role', 'job']],
  ],
  [
    'a failed GetRole',
    {
      eventSource: 'iam.amazonaws.com',
      eventName: 'GetRole',
      errorCode: 'NoSuchEntityException',
      requestParameters: { roleName: 'job' },
    },
    [],
  ],
  [
    'GetSessionToken',
    {
      eventSource: 'sts.amazonaws.com',
      eventName: 'GetSessionToken',
      responseElements: { credentials: { accessKeyId: 'ASIAEXAMPLE' } },
    },
    [['AWS::IAM::AccessKey', 'ASIAEXAMPLE']],
  ],
  [
    'a refused AssumeRole',
    {
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      ...failed,
      responseElements: null,
    },
    [],
  ],
  [
    'what is no record of ours',
    {
      eventName: 7,
      readOnly: 'yes',
      requestParameters: ['x'],
      responseElements: 'x',
      resources: [null, 'x', { type: 1, ARN: arn }, { type: 'x' }],
    },
    [],
  ],
]

for (const [what, record, shown] of cases) {
  test(`the resources of ${what}`, () => {
    assert.deepEqual(shownOf(record), shown)
  })
}

test('an event is found by what its record names beyond what it shows', () => {
  const { hidden } = eventResources({
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    readOnly: true,
    requestParameters: {},
    resources: [key],
  })
  assert.deepEqual(hidden, [{ type: 'AWS::KMS::Key', name: arn }])
})
