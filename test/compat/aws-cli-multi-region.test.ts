/**
 * The AWS CLI's commands for multi-Region keys, as AWS's developer guide prints them, with this
 * deployment's key ids in place of the guide's.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { accountId } from '../harness.ts'
import { arnIn } from './multi-region.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace, type Workplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const patienceMs = 600_000
const first = 'us-east-1'
const second = 'us-west-2'
const third = 'ap-northeast-1'

type Told = Readonly<Record<string, unknown>>

async function describe({ json }: Workplace, key: string, region: string): Promise<Told> {
  const told = await json(`aws kms describe-key --key-id ${key} --region ${region}`)
  return (told as { readonly KeyMetadata: Told }).KeyMetadata
}

async function inState(
  place: Workplace,
  key: string,
  region: string,
  state: string,
): Promise<Told> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const metadata = await describe(place, key, region)
    if (metadata['KeyState'] === state) return metadata
    assert(Date.now() < deadline, `the key stays ${String(metadata['KeyState'])}`)
    await sleep(50)
  }
}

async function create({ json }: Workplace): Promise<string> {
  const made = (await json(`aws kms create-key --multi-region --region ${first}`)) as {
    readonly KeyMetadata: Told
  }
  const { KeyMetadata } = made
  const key = String(KeyMetadata['KeyId'])
  assert.deepEqual(KeyMetadata['MultiRegionConfiguration'], {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: arnIn(first, key), Region: first },
    ReplicaKeys: [],
  })
  return key
}

const replicate = (key: string, region: string): string =>
  `aws kms replicate-key --key-id ${arnIn(first, key)} --replica-region ${region} --region ${first}`

test(
  'guide: create a multi-Region primary key and replicate it, and use the replica',
  { skip },
  async (t) => {
    const place = await openWorkplace(t, clients)
    const { json, print, shell, write } = place
    const key = await create(place)
    const made = (await json(
      `${replicate(key, second)} --description replica --tags TagKey=Dept,TagValue=IT`,
    )) as Told
    const { CreationDate, ...metadata } = made['ReplicaKeyMetadata'] as Told
    assert.ok(CreationDate)
    assert.deepEqual(metadata, {
      AWSAccountId: accountId,
      KeyId: key,
      Arn: arnIn(second, key),
      Enabled: false,
      Description: 'replica',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Creating',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'REPLICA',
        PrimaryKey: { Arn: arnIn(first, key), Region: first },
        ReplicaKeys: [{ Arn: arnIn(second, key), Region: second }],
      },
    })
    assert.match(String(made['ReplicaPolicy']), /Enable IAM User Permissions/i)
    assert.deepEqual(made['ReplicaTags'], [{ TagKey: 'Dept', TagValue: 'IT' }])
    await inState(place, key, second, 'Enabled')
    const file = await write('plain', 'across Regions')
    await print(
      `aws kms encrypt --key-id ${key} --plaintext fileb://${file} --region ${first} ` +
        '--query CiphertextBlob --output text | base64 --decode > sealed',
    )
    const opened = await print(
      `aws kms decrypt --ciphertext-blob fileb://sealed --key-id ${key} --region ${second} ` +
        '--query Plaintext --output text',
    )
    assert.equal(Buffer.from(opened, 'base64').toString(), 'across Regions')
    const again = await shell(replicate(key, second))
    assert.match(again.stderr, /AlreadyExistsException.*You can create only one replica of each/)
  },
)

test('guide: change the primary Region, and back', { skip }, async (t) => {
  const place = await openWorkplace(t, clients)
  const { print, shell } = place
  const key = await create(place)
  for (const region of [second, third]) {
    await print(replicate(key, region))
    await inState(place, key, region, 'Enabled')
  }
  const update = (to: string, from: string): string =>
    `aws kms update-primary-region --key-id ${arnIn(from, key)} --primary-region ${to} ` +
    `--region ${from}`
  assert.equal(await print(update(third, first)), '')
  await inState(place, key, first, 'Enabled')
  const { MultiRegionConfiguration } = await inState(place, key, third, 'Enabled')
  assert.deepEqual(MultiRegionConfiguration, {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: arnIn(third, key), Region: third },
    ReplicaKeys: [first, second].map((region) => ({ Arn: arnIn(region, key), Region: region })),
  })
  assert.equal(await print(update(first, third)), '')
  const wrong = await shell(update(second, third))
  assert.match(wrong.stderr, /KMSInvalidStateException.*is not a multi-Region primary key\./)
  const none = await shell(update('eu-west-1', first))
  assert.match(
    none.stderr,
    /ValidationException.*does not have a replica key in the specified Region/,
  )
})

test('guide: delete a replica, and the primary key behind it', { skip }, async (t) => {
  const place = await openWorkplace(t, clients)
  const { json, print } = place
  const key = await create(place)
  await print(replicate(key, second))
  await inState(place, key, second, 'Enabled')
  const schedule = (region: string): string =>
    `aws kms schedule-key-deletion --key-id ${arnIn(region, key)} --pending-window-in-days 7 ` +
    `--region ${region}`
  assert.deepEqual(await json(schedule(first)), {
    KeyId: arnIn(first, key),
    KeyState: 'PendingReplicaDeletion',
    PendingWindowInDays: 7,
  })
  const waiting = await describe(place, key, first)
  assert.equal(waiting['PendingDeletionWindowInDays'], 7)
  const replica = (await json(schedule(second))) as Told
  assert.equal(replica['KeyState'], 'PendingDeletion')
  const cancel = `aws kms cancel-key-deletion --key-id ${key} --region ${first}`
  assert.deepEqual(await json(cancel), { KeyId: arnIn(first, key) })
  assert.equal((await describe(place, key, first))['KeyState'], 'Disabled')
})
