/** The forms of members of audit records, as recordings of AWS have them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateUserCommand } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdateAliasCommand,
  VerifyCommand,
  type MessageType,
} from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { auditDate } from '../../src/model/audit-date.ts'
import { region } from '../harness.ts'
import { documentOf, openIdentities } from './identities.ts'
import { recordsOf, type AuditRecord } from './records.ts'
import { makeKey } from './sdk.ts'

const identities = await openIdentities({ after: (end) => after(end) })
const { root, newRole, newUser, server } = identities
const { kms } = root
const Plaintext = Buffer.from('x')
const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** The one record of a call, whether it succeeds or fails. */
async function recordOf(call: () => Promise<unknown>): Promise<AuditRecord> {
  const earlier = (await recordsOf(server.directory)).length
  await call().catch(() => undefined)
  const records = (await recordsOf(server.directory)).slice(earlier)
  // What becomes of replicas in the meantime, and the role of multi-Region keys, are the service's.
  const [record, ...more] = records.filter(
    ({ eventType, userIdentity }) =>
      eventType === 'AwsApiCall' && userIdentity['invokedBy'] === undefined,
  )
  assert(record && more.length === 0)
  return record
}

/** Every text inside that looks like a date of any form, by the name of its member. */
function datesIn(value: unknown, name = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return /Date$|expiration$/.test(name) ? [[name, value]] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([member, item]) => datesIn(item, member))
}

test('a date in a record is ISO 8601 in whole seconds, in UTC', () => {
  const times: readonly (readonly [number, string])[] = [
    [Date.UTC(2026, 8, 12, 6, 21, 24), '2026-09-12T06:21:24Z'],
    [Date.UTC(2026, 8, 12, 6, 21, 24, 999), '2026-09-12T06:21:24Z'],
    [0, '1970-01-01T00:00:00Z'],
    [8.64e15, '+275760-09-13T00:00:00Z'],
  ]
  for (const [time, text] of times) assert.equal(auditDate(new Date(time)), text)
})

test('answers of KMS, IAM and STS are recorded with such dates', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const calls = [
    () => kms.send(new CreateKeyCommand({ MultiRegion: true })),
    () => kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 })),
    () => root.iam.send(new CreateUserCommand({ UserName: 'dated' })),
    () => root.sts.send(new GetSessionTokenCommand({})),
  ]
  for (const call of calls) {
    const { eventName, responseElements } = await recordOf(call)
    const dates = datesIn(responseElements)
    assert.equal(dates.length, 1, eventName)
    for (const [name, text] of dates) assert.match(text, isoDate, `${eventName} ${name}`)
  }
})

test('multiRegion is in the record of CreateKey as the caller gave it', async () => {
  const given = async (MultiRegion?: boolean): Promise<unknown> => {
    const record = await recordOf(() => kms.send(new CreateKeyCommand({ MultiRegion })))
    return record.requestParameters?.['multiRegion']
  }
  assert.equal(await given(), undefined)
  assert.equal(await given(false), false)
  assert.equal(await given(true), true)
})

test('the CreateKey that ReplicateKey leads to says that the key is a multi-Region key', async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }))
  const earlier = (await recordsOf(server.directory)).length
  await kms.send(new ReplicateKeyCommand({ KeyId: KeyMetadata?.KeyId, ReplicaRegion: 'eu-west-1' }))
  const records = (await recordsOf(server.directory)).slice(earlier)
  const made = records.find(({ eventName }) => eventName === 'CreateKey')
  assert.equal(made?.requestParameters?.['multiRegion'], true)
})

test('Sign and Verify are recorded with messageType RAW where it was left out', async () => {
  const pair = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
  const KeyId = (await kms.send(new CreateKeyCommand(pair))).KeyMetadata?.KeyId
  const common = { KeyId, SigningAlgorithm: 'ECDSA_SHA_256' } as const
  const signing = (MessageType?: MessageType) => () =>
    kms.send(new SignCommand({ ...common, Message: Buffer.alloc(32), MessageType }))
  const verifying = (MessageType?: MessageType) => () =>
    kms.send(
      new VerifyCommand({
        ...common,
        Message: Buffer.alloc(32),
        MessageType,
        Signature: Buffer.from('x'),
      }),
    )
  for (const call of [signing, verifying]) {
    for (const [given, recorded] of [
      [undefined, 'RAW'],
      ['RAW', 'RAW'],
      ['DIGEST', 'DIGEST'],
    ] as const) {
      const { requestParameters } = await recordOf(call(given))
      assert.equal(requestParameters?.['messageType'], recorded)
    }
  }
})

test('a call on an alias or a key that does not exist has no resources', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const missing = 'alias/missing'
  const none = '00000000-1111-4222-8333-444444444444'
  const calls = [
    () => kms.send(new DescribeKeyCommand({ KeyId: missing })),
    () => kms.send(new EncryptCommand({ KeyId: missing, Plaintext })),
    () => kms.send(new DecryptCommand({ KeyId: missing, CiphertextBlob })),
    () => kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: missing })),
    () => kms.send(new DeleteAliasCommand({ AliasName: missing })),
    () => kms.send(new UpdateAliasCommand({ AliasName: missing, TargetKeyId: KeyId })),
    () => kms.send(new EncryptCommand({ KeyId: 'alias/aws/s3', Plaintext })),
    () => kms.send(new DescribeKeyCommand({ KeyId: none })),
    () => kms.send(new EncryptCommand({ KeyId: none, Plaintext })),
    () => kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: none })),
  ]
  for (const call of calls) {
    const record = await recordOf(call)
    assert.equal(record.errorCode, 'NotFoundException', record.eventName)
    assert.equal('resources' in record, false, record.eventName)
  }
})

test('sessions are recorded with their sizes, which the caller is told too', async () => {
  const user = await newUser('broker', { Action: 'sts:*' })
  const trust = { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('work', trust)
  const Policy = documentOf({ Action: 'kms:*' })
  const role = { RoleArn, RoleSessionName: 'job' }
  const calls = [
    [true, false, () => user.sts.send(new AssumeRoleCommand(role))],
    [true, true, () => user.sts.send(new AssumeRoleCommand({ ...role, Policy }))],
    [false, false, () => user.sts.send(new GetFederationTokenCommand({ Name: 'guest' }))],
    [false, true, () => user.sts.send(new GetFederationTokenCommand({ Name: 'guest', Policy }))],
    [false, false, () => user.sts.send(new GetSessionTokenCommand({}))],
    [
      false,
      false,
      () => user.sts.send(new GetSessionTokenCommand({ MinimumSessionTokenSize: 4096 })),
    ],
  ] as const
  for (const [readOnly, limited, call] of calls) {
    const answers: Awaited<ReturnType<typeof call>>[] = []
    const record = await recordOf(async () => answers.push(await call()))
    const [answer] = answers
    const size = answer?.Credentials?.SessionToken?.length ?? 0
    const { packedPolicySize, sessionTokenUtilization, sessionTokenSize } =
      record.responseElements ?? {}
    assert.equal(record.readOnly, readOnly, record.eventName)
    assert.deepEqual([answer?.SessionTokenSize, sessionTokenSize], [size, size])
    const percent = Math.ceil(size / 40.96)
    assert.deepEqual([answer?.SessionTokenUtilization, sessionTokenUtilization], [percent, percent])
    assert.equal(Number(packedPolicySize) > 0, limited, record.eventName)
    assert.equal(JSON.stringify(record).includes(answer?.Credentials?.SessionToken ?? ''), false)
  }
})

test('every call of STS, refused or not, says which Region served it', async () => {
  const nobody = await newUser('nobody')
  const calls = [
    () => nobody.sts.send(new GetCallerIdentityCommand({})),
    () => nobody.sts.send(new GetFederationTokenCommand({ Name: 'guest' })),
    () => nobody.sts.send(new GetSessionTokenCommand({})),
  ]
  const ids = new Set<unknown>()
  for (const call of calls) {
    const record = await recordOf(call)
    const { additionalEventData } = record as AuditRecord & {
      readonly additionalEventData?: Readonly<Record<string, unknown>>
    }
    assert.deepEqual(additionalEventData?.['RequestDetails'], {
      awsServingRegion: region,
      endpointType: 'regional',
    })
    const { ExtendedRequestId } = additionalEventData
    const id = Buffer.from(String(ExtendedRequestId), 'base64').toString()
    assert.match(id, /^1:us-west-2:S:\d{13}:R:\w{8}$/)
    ids.add(ExtendedRequestId)
  }
  assert.equal(ids.size, calls.length)
})
