/**
 * The AWS CLI's alias, key and tag commands, as AWS's developer guide prints them, with this
 * deployment's key ids in place of the guide's. Where a line of the guide does not run as printed, the
 * corrected one runs here, and a comment says what was wrong.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { managedAliases } from '../../src/model/managed-key.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const arnOf = (keyId: string): string => `arn:aws:kms:us-west-2:${accountId}:key/${keyId}`
const aliasArnOf = (alias: string): string => `arn:aws:kms:us-west-2:${accountId}:${alias}`

interface Alias {
  readonly AliasName: string
  readonly AliasArn: string
  readonly TargetKeyId: string
  readonly CreationDate: number
  readonly LastUpdatedDate: number
}

test('guide: create-alias, list-aliases, update-alias, delete-alias', { skip }, async (t) => {
  const { newKey, json, print, shell } = await openWorkplace(t, clients)
  const [key, other] = [await newKey(), await newKey()]

  const created = await print(`
    aws kms create-alias \\
      --alias-name alias/example-key \\
      --target-key-id ${key}
    aws kms create-alias --alias-name alias/test-key --target-key-id ${key}`)
  assert.equal(created, '')

  const { Aliases } = (await json('aws kms list-aliases')) as { Aliases: readonly Alias[] }
  assert.deepEqual(
    Aliases.map(({ AliasName, AliasArn, TargetKeyId }) => [AliasName, AliasArn, TargetKeyId]),
    [
      ...managedAliases.map((name) => [name, aliasArnOf(name), undefined]),
      ...['alias/example-key', 'alias/test-key'].map((name) => [name, aliasArnOf(name), key]),
    ],
  )
  for (const alias of Aliases) assert.equal(alias.CreationDate, alias.LastUpdatedDate)

  // The guide puts single quotes inside single quotes, which the shell takes away.
  const asPrinted = await shell(
    `aws kms list-aliases --query 'Aliases[?AliasName=='alias/test-key']'`,
  )
  assert.equal(asPrinted.status, 255)
  assert.match(asPrinted.stderr, /Bad value for --query Aliases\[\?AliasName==alias\/test-key\]/)
  const find = "aws kms list-aliases --query 'Aliases[?AliasName==`alias/test-key`]'"
  const before = (await json(find)) as readonly Alias[]

  await print(`aws kms update-alias --alias-name 'alias/test-key' --target-key-id ${other}`)
  const after = (await json(find)) as readonly Alias[]
  assert.equal(after.length, 1)
  assert.equal(after[0]?.TargetKeyId, other)
  assert.equal(after[0]?.CreationDate, before[0]?.CreationDate)
  assert.ok((after[0]?.LastUpdatedDate ?? 0) > (before[0]?.LastUpdatedDate ?? Infinity))
  // The guide asks by key id here and by key ARN in its section on ListAliases.
  const ofKey = `aws kms list-aliases --query 'Aliases[*].AliasName' --output text --key-id`
  assert.equal(
    await print(`${ofKey} ${key}; ${ofKey} ${arnOf(other)}`),
    'alias/example-key\nalias/test-key\n',
  )

  assert.equal(await print('aws kms delete-alias --alias-name alias/test-key'), '')
  assert.deepEqual(await json(find), [])
  const again = await shell('aws kms delete-alias --alias-name alias/test-key')
  assert.equal(again.status, 255)
  assert.equal(
    again.stderr.trim(),
    'An error occurred (NotFoundException) when calling the DeleteAlias operation: ' +
      `Alias ${aliasArnOf('alias/test-key')} is not found.`,
  )
  // The guide's query for AWS managed keys lacks a closing quote. No service has asked for one here.
  assert.deepEqual(
    await json("aws kms list-aliases --query 'Aliases[?starts_with(AliasName, `alias/aws/`)]'"),
    managedAliases.map((AliasName) => ({ AliasName, AliasArn: aliasArnOf(AliasName) })),
  )
})

test('guide: an application finds its key by alias name or alias ARN', { skip }, async (t) => {
  const { newKey, json, shell, client } = await openWorkplace(t, clients)
  const key = await newKey()
  await client.send(new CreateAliasCommand({ AliasName: 'alias/finance', TargetKeyId: key }))

  const dataKey = (await json(
    'aws kms generate-data-key --key-id alias/finance --key-spec AES_256',
  )) as Record<string, string>
  assert.equal(dataKey['KeyId'], arnOf(key))
  assert.equal(Buffer.from(dataKey['Plaintext'] ?? '', 'base64').length, 32)
  assert.match(dataKey['CiphertextBlob'] ?? '', /^AQIDAH/)
  const described = (await json(
    `aws kms describe-key --key-id "${aliasArnOf('alias/finance')}"`,
  )) as { KeyMetadata: { KeyId: string } }
  assert.equal(described.KeyMetadata.KeyId, key)

  // Nobody has the guide's other account here. AWS does not tell such a caller what exists.
  const elsewhere = await shell(`
    aws kms generate-data-key \\
      --key-id arn:aws:kms:us-west-2:444455556666:alias/ExampleAlias --key-spec AES_256`)
  assert.equal(elsewhere.status, 255)
  assert.match(
    elsewhere.stderr,
    /An error occurred \(AccessDeniedException\) when calling the GenerateDataKey operation: /,
  )
})

test('guide: one alias name stands for a key in each of three Regions', { skip }, async (t) => {
  const { server, json, print, shell } = await openWorkplace(t, clients)
  const regions = ['us-west-2', 'eu-central-1', 'ap-southeast-1']
  const keys = await Promise.all(
    regions.map(async (region) => {
      const { KeyMetadata } = await server.client({ region }).send(new CreateKeyCommand({}))
      return KeyMetadata?.Arn ?? ''
    }),
  )
  // The guide names the target by `--key-id`, an option that this command does not have.
  const asPrinted = await shell(
    `aws --region us-west-2 kms create-alias --alias-name alias/new-app --key-id ${keys[0]}`,
  )
  assert.equal(asPrinted.status, 2)
  assert.match(asPrinted.stderr, /the following arguments are required: --target-key-id/)
  const lines = regions.map(
    (region, index) => `
    aws --region ${region} kms create-alias \\
      --alias-name alias/new-app \\
      --target-key-id ${keys[index]}`,
  )
  assert.equal(await print(lines.join('\n')), '')
  const found = await Promise.all(
    regions.map((region) =>
      json(
        `aws --region ${region} kms describe-key --key-id alias/new-app --query KeyMetadata.Arn`,
      ),
    ),
  )
  assert.deepEqual(found, keys)
})

test('guide: create-key, list-keys, describe-key, disable-key, enable-key', { skip }, async (t) => {
  const { json, print } = await openWorkplace(t, clients)
  const { KeyMetadata: made } = (await json('aws kms create-key')) as {
    KeyMetadata: Record<string, unknown>
  }
  const key = String(made['KeyId'])
  const { CreationDate, CurrentKeyMaterialId, ...rest } = made
  assert.equal(typeof CreationDate, 'number')
  assert.match(String(CurrentKeyMaterialId), /^[0-9a-f]{64}$/)
  assert.deepEqual(rest, {
    Origin: 'AWS_KMS',
    KeyId: key,
    Description: '',
    KeyManager: 'CUSTOMER',
    Enabled: true,
    KeySpec: 'SYMMETRIC_DEFAULT',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Enabled',
    Arn: arnOf(key),
    AWSAccountId: accountId,
    MultiRegion: false,
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
  })
  assert.deepEqual(await json('aws kms list-keys'), { Keys: [{ KeyId: key, KeyArn: arnOf(key) }] })

  assert.equal(await print(`aws kms disable-key --key-id ${key}`), '')
  assert.deepEqual(await json(`aws kms describe-key --key-id ${key}`), {
    KeyMetadata: { ...made, Enabled: false, KeyState: 'Disabled' },
  })
  assert.equal(await print(`aws kms enable-key --key-id ${key}`), '')
  assert.deepEqual(await json(`aws kms describe-key --key-id ${key}`), { KeyMetadata: made })
})

test('guide: schedule-key-deletion and cancel-key-deletion', { skip }, async (t) => {
  const { newKey, json, shell } = await openWorkplace(t, clients)
  const key = await newKey()
  const scheduled = (await json(
    `aws kms schedule-key-deletion --key-id ${key} --pending-window-in-days 10`,
  )) as Record<string, unknown>
  const { DeletionDate, ...rest } = scheduled
  assert.deepEqual(rest, {
    KeyId: arnOf(key),
    KeyState: 'PendingDeletion',
    PendingWindowInDays: 10,
  })
  const days = (Number(DeletionDate) * 1000 - Date.now()) / 86_400_000
  assert.ok(days > 9 && days <= 10, `${days} days`)
  const refused = await shell(`aws kms enable-key --key-id ${key}`)
  assert.equal(refused.status, 255)
  assert.equal(
    refused.stderr.trim(),
    'An error occurred (KMSInvalidStateException) when calling the EnableKey operation: ' +
      `${arnOf(key)} is pending deletion.`,
  )
  assert.deepEqual(await json(`aws kms cancel-key-deletion --key-id ${key}`), { KeyId: arnOf(key) })
  assert.equal(
    await json(`aws kms describe-key --key-id ${key} --query KeyMetadata.KeyState`),
    'Disabled',
  )
})

test(
  'guide: tags at creation, tag-resource, list-resource-tags, untag-resource',
  { skip },
  async (t) => {
    const { json, print } = await openWorkplace(t, clients)
    const created = await print(
      'aws kms create-key --tags TagKey=Project,TagValue=Alpha --query KeyMetadata.KeyId --output text',
    )
    const key = created.trim()
    const quiet = await print(`
    aws kms tag-resource \\
      --key-id ${key} \\
      --tags TagKey=Purpose,TagValue=Pretest TagKey=Department,TagValue=Finance
    aws kms tag-resource \\
      --key-id ${key} \\
      --tags TagKey=Purpose,TagValue=Test`)
    assert.equal(quiet, '')
    // The guide prints `"Truncated": false` too, which the CLI drops from what it has put together itself.
    assert.deepEqual(await json(`aws kms list-resource-tags --key-id ${key}`), {
      Tags: [
        { TagKey: 'Project', TagValue: 'Alpha' },
        { TagKey: 'Purpose', TagValue: 'Test' },
        { TagKey: 'Department', TagValue: 'Finance' },
      ],
    })
    assert.equal(await print(`aws kms untag-resource --key-id ${key} --tag-keys Purpose`), '')
    assert.deepEqual(
      await json(`aws kms list-resource-tags --key-id ${arnOf(key)} --query 'Tags[*].TagKey'`),
      ['Project', 'Department'],
    )
  },
)

test("guide: the shell loop over every key's tags", { skip }, async (t) => {
  const { newKey, print } = await openWorkplace(t, clients)
  const tagged = await newKey({ Tags: [{ TagKey: 'Project', TagValue: 'Gamma' }] })
  await newKey({ Tags: [{ TagKey: 'Department', TagValue: 'Finance' }] })
  await newKey()
  const printed = await print(`
TARGET_TAG_KEY='Project'

for key in $(aws kms list-keys --query 'Keys[*].KeyId' --output text); do
  key_tags=$(aws kms list-resource-tags --key-id "$key" --query "Tags[?TagKey==\\\`$TARGET_TAG_KEY\\\`]")
  if [ "$key_tags" != "[]" ]; then
    echo "Key: $key"
    echo "$key_tags"
  fi
done`)
  const [first = '', ...rest] = printed.split('\n')
  assert.equal(first, `Key: ${tagged}`)
  assert.deepEqual(JSON.parse(rest.join('\n')), [{ TagKey: 'Project', TagValue: 'Gamma' }])
})
