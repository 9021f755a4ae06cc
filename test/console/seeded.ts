/** What the screens show in tests: keys of several kinds, users, a grant, key stores, and recorded calls. @module */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  EncryptCommand,
  type KMSClient,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { connect, makeExternalKey, makeStore } from '../compat/external-store.ts'
import { by, lookUpSoon, trailClient } from '../compat/trails.ts'
import { accountId, credentials } from '../harness.ts'
import { newProxyKey, type FakeProxy } from '../keystores/external/fake-proxy.ts'
import type { Workplace } from './browser.ts'

export interface Seeded {
  readonly symmetric: string
  readonly signing: string
  readonly imported: string
  readonly multiRegion: string
  readonly external: string
  /** Its policy has the shape that the console writes. */
  readonly shared: string
  /** The id of a request that was refused. */
  readonly refused: string
}

async function newKey(kms: KMSClient, alias: string, more: CreateKeyCommandInput): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(more))
  const TargetKeyId = KeyMetadata?.KeyId ?? ''
  await kms.send(new CreateAliasCommand({ AliasName: `alias/${alias}`, TargetKeyId }))
  return TargetKeyId
}

const userArn = (name: string): string => `arn:aws:iam::${accountId}:user/${name}`

/** As the console writes it for one administrator, one user and another account. */
function consolePolicy(): string {
  const Resource = '*'
  const using = { AWS: userArn('bob') }
  const admins = [
    ...'Create* Describe* Enable* List* Put* Update* Revoke* Disable* Get* Delete*'.split(' '),
    ...'TagResource UntagResource ScheduleKeyDeletion CancelKeyDeletion'.split(' '),
  ].map((name) => `kms:${name}`)
  const use = 'Encrypt Decrypt ReEncrypt* GenerateDataKey* DescribeKey'.split(' ')
  return JSON.stringify({
    Id: 'key-consolepolicy-3',
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource,
      },
      {
        Sid: 'Allow access for Key Administrators',
        Effect: 'Allow',
        Principal: { AWS: userArn('alice') },
        Action: admins,
        Resource,
      },
      {
        Sid: 'Allow use of the key',
        Effect: 'Allow',
        Principal: using,
        Action: use.map((name) => `kms:${name}`),
        Resource,
      },
      {
        Sid: 'Allow attachment of persistent resources',
        Effect: 'Allow',
        Principal: using,
        Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
        Resource,
        Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      },
    ],
  })
}

let seeding: Promise<Seeded> | undefined

/** Makes them once for the tests of a file. */
export function seeded(t: TestContext, place: Workplace, proxy: FakeProxy): Promise<Seeded> {
  return (seeding ??= seed(t, place, proxy))
}

async function seed(t: TestContext, { server }: Workplace, proxy: FakeProxy): Promise<Seeded> {
  const kms = server.client()
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  for (const UserName of ['alice', 'bob']) await iam.send(new CreateUserCommand({ UserName }))
  iam.destroy()
  const symmetric = await newKey(kms, 'app/orders', {
    Description: 'Encrypts the data keys of orders',
    Tags: [{ TagKey: 'team', TagValue: 'orders' }],
  })
  const signing = await newKey(kms, 'app/signer', {
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
  })
  const imported = await newKey(kms, 'app/imported', { Origin: 'EXTERNAL' })
  const multiRegion = await newKey(kms, 'app/global', { MultiRegion: true })
  const asked = { KeyId: multiRegion, ReplicaRegion: 'eu-central-1' }
  await kms.send(new ReplicateKeyCommand(asked))
  const shared = await newKey(kms, 'app/shared', { Policy: consolePolicy() })
  const old = await newKey(kms, 'app/old', {})
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: old, PendingWindowInDays: 7 }))
  const store = await makeStore(kms, { CustomKeyStoreName: 'vault' })
  assert.equal(await connect({ server, kms }, store), 'CONNECTED')
  proxy.keys.set('key-1', newProxyKey())
  const external = await makeExternalKey(kms, store)
  await kms.send(
    new CreateGrantCommand({
      KeyId: symmetric,
      GranteePrincipal: userArn('alice'),
      Operations: ['Decrypt'],
    }),
  )
  await kms.send(new EncryptCommand({ KeyId: symmetric, Plaintext: Buffer.from('x') }))
  const refused = await kms
    .send(new EncryptCommand({ KeyId: imported, Plaintext: Buffer.from('x') }))
    .then(
      () => assert.fail('a key without material'),
      ({ $metadata }: { $metadata: { requestId: string } }) => $metadata.requestId,
    )
  // Screens wait for records for some seconds. A busy machine takes longer.
  await lookUpSoon(trailClient(t, server), 2, by('EventName', 'Encrypt'))
  await kms.send(new DescribeKeyCommand({ KeyId: external }))
  return { symmetric, signing, imported, multiRegion, external, shared, refused }
}
