import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreateAliasCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { accountId, region, startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startTestServer({ TRENT_QUOTA_OVERRIDES: 'aliasesPerKey=50' })
after(() => server.stop())
const kms = server.client()
const prefix = `arn:aws:kms:${region}:${accountId}`
const unknown = '00000000-1111-4222-8333-444444444444'
let one: MadeKey
let other: MadeKey

before(async () => {
  one = await makeKey(kms)
  other = await makeKey(kms)
})

function create(AliasName: string | undefined, TargetKeyId = one.keyId): Promise<object> {
  return kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
}

async function aliasNames(): Promise<readonly (string | undefined)[]> {
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({ Limit: 100 }))
  return Aliases.map(({ AliasName }) => AliasName)
}

test('CreateAlias names a key, and ListAliases shows it with every member that AWS sends', async () => {
  assert.deepEqual(await answerOf(create('alias/full/Name_of-it1')), {})
  assert.deepEqual(await answerOf(create('alias/by-arn', one.arn)), {})
  const { Aliases, ...rest } = await answerOf(kms.send(new ListAliasesCommand({ KeyId: one.arn })))
  assert.deepEqual(rest, { Truncated: false })
  const [byArn, full, ...more] = Aliases as readonly Record<string, unknown>[]
  assert.equal(more.length, 0)
  assert.equal(byArn?.['AliasName'], 'alias/by-arn')
  const { CreationDate, LastUpdatedDate, ...members } = full ?? {}
  assert.deepEqual(members, {
    AliasName: 'alias/full/Name_of-it1',
    AliasArn: `${prefix}:alias/full/Name_of-it1`,
    TargetKeyId: one.keyId,
  })
  assert(CreationDate instanceof Date)
  assert.deepEqual(LastUpdatedDate, CreationDate)
})

test('UpdateAlias moves a name to another key, and what was sealed through it still opens', async () => {
  const AliasName = 'alias/moving'
  await create(AliasName)
  const plaintext = { KeyId: AliasName, Plaintext: Buffer.from('old') }
  const { CiphertextBlob } = await kms.send(new EncryptCommand(plaintext))
  const update = { AliasName, TargetKeyId: other.keyId }
  assert.deepEqual(await answerOf(kms.send(new UpdateAliasCommand(update))), {})
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))
  assert.equal(KeyMetadata?.KeyId, other.keyId)
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'old')
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob, KeyId: AliasName })),
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
})

test('DeleteAlias takes the name away and leaves the key', async () => {
  const AliasName = 'alias/going'
  await create(AliasName)
  assert.deepEqual(await answerOf(kms.send(new DeleteAliasCommand({ AliasName }))), {})
  const gone = `Alias ${prefix}:alias/going is not found.`
  const use = kms.send(new DescribeKeyCommand({ KeyId: AliasName }))
  await refused(use, 'NotFoundException', gone)
  await kms.send(new DescribeKeyCommand({ KeyId: one.keyId }))
  const again = kms.send(new DeleteAliasCommand({ AliasName }))
  await refused(again, 'NotFoundException', gone)
  await create(AliasName, other.keyId)
})

const pattern = 'satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$'
const refusedNames: readonly (readonly [string | undefined, string, string?])[] = [
  [
    'not-an-alias',
    'ValidationException',
    'Alias must start with the prefix "alias/". Please see ' +
      'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  ],
  [
    'alias/my-alias!',
    'ValidationException',
    validationError(fails("'alias/my-alias!'", 'aliasName', pattern)),
  ],
  [
    'alias/my:alias',
    'ValidationException',
    'alias/my:alias contains invalid characters for an alias',
  ],
  ['alias/aws/s3', 'NotAuthorizedException'],
  ['alias/aws/', 'NotAuthorizedException'],
  ['alias/', 'InvalidAliasNameException', 'an alias has a name after `alias/`'],
  [
    '',
    'ValidationException',
    validationError(
      fails("''", 'aliasName', 'have length greater than or equal to 1'),
      fails("''", 'aliasName', pattern),
    ),
  ],
  [undefined, 'ValidationException', validationError(fails('null', 'aliasName', 'not be null'))],
  [
    `alias/${'a'.repeat(251)}`,
    'ValidationException',
    validationError(
      fails(`'alias/${'a'.repeat(251)}'`, 'aliasName', 'have length less than or equal to 256'),
    ),
  ],
]

test('an alias name that AWS refuses is refused to make, to change and to delete', async () => {
  const earlier = await aliasNames()
  for (const [AliasName, code, message] of refusedNames) {
    await refused(create(AliasName), code, message)
    const update = { AliasName, TargetKeyId: one.keyId }
    await refused(kms.send(new UpdateAliasCommand(update)), code, message)
    await refused(kms.send(new DeleteAliasCommand({ AliasName })), code, message)
  }
  assert.deepEqual(await aliasNames(), earlier)
})

test('an alias name may have 256 characters', async () => {
  await create(`alias/${'a'.repeat(250)}`)
})

test('an alias that is there is not made again, and stays where it was', async () => {
  await create('alias/taken')
  await refused(
    create('alias/taken', other.keyId),
    'AlreadyExistsException',
    `An alias with the name ${prefix}:alias/taken already exists`,
  )
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: 'alias/taken' }))
  assert.equal(KeyMetadata?.KeyId, one.keyId)
})

test('an alias points to a key that is there, and never to an alias', async () => {
  await create('alias/first')
  const earlier = await aliasNames()
  const notToAliases = 'Aliases must refer to keys. Not aliases'
  for (const [target, code, message] of [
    ['alias/first', 'ValidationException', notToAliases],
    [`${prefix}:alias/first`, 'ValidationException', notToAliases],
    [unknown, 'NotFoundException', `Key '${prefix}:key/${unknown}' does not exist`],
    ['foo', 'NotFoundException', "Invalid keyId 'foo'"],
    [
      '',
      'ValidationException',
      validationError(
        fails("''", 'targetKeyId', 'have length greater than or equal to 1'),
        fails("''", 'targetKeyId', 'satisfy regular expression pattern: ^\\p{ASCII}+$'),
      ),
    ],
  ] as const) {
    await refused(create('alias/second', target), code, message)
    const update = { AliasName: 'alias/first', TargetKeyId: target }
    await refused(kms.send(new UpdateAliasCommand(update)), code, message)
  }
  assert.deepEqual(await aliasNames(), earlier)
})

test('UpdateAlias and DeleteAlias of a name that is not there say so', async () => {
  const AliasName = 'alias/nowhere'
  const message = `Alias ${prefix}:alias/nowhere is not found.`
  const update = { AliasName, TargetKeyId: one.keyId }
  await refused(kms.send(new UpdateAliasCommand(update)), 'NotFoundException', message)
  await refused(kms.send(new DeleteAliasCommand({ AliasName })), 'NotFoundException', message)
})

test('a key has fifty aliases at most', async () => {
  const crowded = await makeKey(kms)
  for (let count = 0; count < 50; count += 1) await create(`alias/crowd-${count}`, crowded.keyId)
  const message =
    'Aliases per key quota for this account in this region is 50, current usage is 50.'
  await refused(create('alias/crowd-50', crowded.keyId), 'LimitExceededException', message)
  await create('alias/joiner')
  const update = { AliasName: 'alias/joiner', TargetKeyId: crowded.keyId }
  await refused(kms.send(new UpdateAliasCommand(update)), 'LimitExceededException', message)
  const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: crowded.keyId, Limit: 100 }))
  assert.equal(Aliases?.length, 50)
})

test('of many who make one alias at once, one does', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) =>
      create('alias/raced', index % 2 === 0 ? one.keyId : other.keyId),
    ),
  )
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [(outcome.reason as Error).name] : [],
  )
  assert.deepEqual(failures, Array(7).fill('AlreadyExistsException'))
})
