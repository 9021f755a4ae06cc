/** Small answers of KMS, as recordings of AWS have them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  ReplicateKeyCommand,
  SignCommand,
  type KeyMetadata,
} from '@aws-sdk/client-kms'
import { managedKeyKindOf, managedKeyPolicy } from '../../src/model/managed-key.ts'
import { accountId, region, startTestServer } from '../harness.ts'
import { importing } from './importing.ts'
import { arnIn, makePrimary, settled } from './multi-region.ts'
import { makeKey, refused } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const there = 'eu-north-1'

test('ReplicateKey of a replica is refused for its role, before its state and its Region', async () => {
  const KeyId = await makePrimary(kms)
  await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there }))
  const inOther = server.client({ region: there })
  const message = `${arnIn(there, KeyId)} is not a multi-region primary key.`
  const everywhere = async (): Promise<void> => {
    for (const ReplicaRegion of ['us-east-1', there, region, 'us-nowhere-1', 'cn-north-1']) {
      await refused(
        inOther.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion })),
        'UnsupportedOperationException',
        message,
      )
    }
  }
  await everywhere() // while it is Creating
  await settled(inOther, KeyId)
  await everywhere()
  await inOther.send(new DisableKeyCommand({ KeyId }))
  await everywhere()
})

test('ReplicateKey of a primary key is refused for its state, and then for the Region', async () => {
  const KeyId = await makePrimary(kms)
  const command = new ReplicateKeyCommand({ KeyId, ReplicaRegion: region })
  const contained = `${region} cannot have a replica because it contains the primary.`
  await refused(kms.send(command), 'ValidationException', contained)
  await kms.send(new DisableKeyCommand({ KeyId }))
  await refused(kms.send(command), 'DisabledException', `${arnIn(region, KeyId)} is disabled.`)
})

async function replicaOf(KeyId: string): Promise<KeyMetadata | undefined> {
  const command = new ReplicateKeyCommand({ KeyId, ReplicaRegion: there })
  return (await kms.send(command)).ReplicaKeyMetadata
}

test('ReplicaKeyMetadata of an imported key with material has its ExpirationModel', async () => {
  const { makeExternal, parameters, send } = importing(kms)
  const material = Buffer.alloc(32, 7)
  const models = [
    [{}, 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
    [{ ValidTo: new Date(Date.now() + 86_400_000) }, 'KEY_MATERIAL_EXPIRES'],
  ] as const
  for (const [options, model] of models) {
    const KeyId = await makeExternal({ MultiRegion: true })
    await send(KeyId, material, await parameters(KeyId), {
      ...('ValidTo' in options ? options : { ExpirationModel: model }),
    })
    const metadata = await replicaOf(KeyId)
    assert.deepEqual(
      [metadata?.KeyState, metadata?.ExpirationModel, metadata?.ValidTo],
      ['Creating', model, undefined],
    )
  }
  const ours = await replicaOf(await makePrimary(kms))
  assert.equal(ours?.ExpirationModel, undefined)
})

test('grants are listed with whole seconds', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const principal = `arn:aws:iam::${accountId}:root`
  for (let count = 0; count < 5; count += 1) {
    await kms.send(
      new CreateGrantCommand({
        KeyId,
        GranteePrincipal: principal,
        RetiringPrincipal: principal,
        Operations: ['Encrypt'],
      }),
    )
  }
  const of = { RetiringPrincipal: principal }
  const lists = [
    await kms.send(new ListGrantsCommand({ KeyId })),
    await kms.send(new ListRetirableGrantsCommand(of)),
  ]
  for (const { Grants = [] } of lists) {
    assert.equal(Grants.length, 5)
    for (const { CreationDate } of Grants) assert.equal((CreationDate?.getTime() ?? 1) % 1000, 0)
  }
})

test('a message representative of a wrong length is refused by its own name', async () => {
  const made = { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' } as const
  const KeyId = (await kms.send(new CreateKeyCommand(made))).KeyMetadata?.KeyId
  const common = {
    KeyId,
    SigningAlgorithm: 'ML_DSA_SHAKE_256',
    MessageType: 'EXTERNAL_MU',
  } as const
  for (const length of [1, 63, 65]) {
    await refused(
      kms.send(new SignCommand({ ...common, Message: Buffer.alloc(length) })),
      'ValidationException',
      'External Mu is invalid length for algorithm ML_DSA_SHAKE_256.',
    )
  }
  await kms.send(new SignCommand({ ...common, Message: Buffer.alloc(64) }))
})

test('the policy of alias/aws/sqs names the service before the account, and others after it', () => {
  const first = (name: string): { readonly Sid: string; readonly Condition: object } => {
    const kind = managedKeyKindOf(`alias/aws/${name}`)
    assert(kind)
    const text = managedKeyPolicy(kind, { partition: 'aws', accountId, region })
    return JSON.parse(text).Statement[0]
  }
  const { Sid, Condition } = first('sqs')
  assert.equal(
    Sid,
    'Allow access through Simple Queue Service (SQS) for all principals in the account that are ' +
      'authorized to use SQS',
  )
  const names = (condition: object): readonly string[] =>
    Object.values(condition).flatMap((each: object) => Object.keys(each))
  assert.deepEqual(names(Condition), ['kms:ViaService', 'kms:CallerAccount'])
  assert.deepEqual(names(first('sns').Condition), ['kms:CallerAccount', 'kms:ViaService'])
})
