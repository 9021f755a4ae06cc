/**
 * What a refusal says where only the ciphertext names the key: the key and the reason to callers of its
 * account, and one sentence to all others. Source: recordings of AWS.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreatePolicyCommand, PutRolePermissionsBoundaryCommand } from '@aws-sdk/client-iam'
import {
  DecryptCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId } from '../harness.ts'
import { account, delegating, Plaintext, policy } from './guides.ts'
import { credentialsOf, denied, documentOf, openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'

const identities = await openIdentities({ after })
const { as, newRole, newUser, root, server } = identities
const { arn: KeyId } = await makeKey(root.kms)
const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
const { arn: destination } = await makeKey(root.kms)

const everything = { Action: ['kms:*', 'sts:*'] }
const listing = documentOf({ Action: 'kms:List*' })
const denying = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: ['kms:Decrypt', 'kms:ReEncryptFrom'], Resource: '*' },
  ],
})
const anybody = await newUser('anybody', everything)
const trust = { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }
const { arn: RoleArn } = await newRole('worker', trust, everything)
const workerArn = `arn:aws:sts::${accountId}:assumed-role/worker/s1`

async function assume(more: Partial<AssumeRoleCommandInput> = {}): Promise<KMSClient> {
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1', ...more })
  return as(credentialsOf((await anybody.sts.send(command)).Credentials)).kms
}

const says = (arn: string, action: string, why: string): string =>
  `User: ${arn} is not authorized to perform: kms:${action} on resource: ${KeyId} ` +
  why.replace('ACTION', `kms:${action}`)

/** Both ways to name a key by its ciphertext alone. */
async function refused(kms: KMSClient, arn: string, why: string): Promise<void> {
  for (const [action, call] of [
    ['Decrypt', new DecryptCommand({ CiphertextBlob })],
    ['Decrypt', new DecryptCommand({ CiphertextBlob, DryRun: true })],
    ['ReEncryptFrom', new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: destination })],
  ] as const) {
    const message = says(arn, action, why)
    await denied(kms.send(call as DecryptCommand), 'AccessDeniedException', 400, message)
  }
}

test('a user of the key’s account is told the key, and which policy does not let it in', async () => {
  const nobody = await newUser('nobody')
  const because = 'because no identity-based policy allows the ACTION action'
  await refused(nobody.kms, nobody.arn, because)
  const forbidden = await newUser('forbidden', {
    Effect: 'Deny',
    Action: ['kms:Decrypt', 'kms:ReEncryptFrom'],
  })
  await refused(forbidden.kms, forbidden.arn, 'with an explicit deny in an identity-based policy')
  await anybody.kms.send(new DecryptCommand({ CiphertextBlob }))
})

test('a session is told what its session policy and its role’s boundary say', async () => {
  const allowed = await assume()
  await allowed.send(new DecryptCommand({ CiphertextBlob }))
  const noSession = 'because no session policy allows the ACTION action'
  await refused(await assume({ Policy: listing }), workerArn, noSession)
  const explicit = 'with an explicit deny in a session policy'
  await refused(await assume({ Policy: denying }), workerArn, explicit)
  const command = new CreatePolicyCommand({ PolicyName: 'small', PolicyDocument: listing })
  const { Policy } = await root.iam.send(command)
  const bounding = { RoleName: 'worker', PermissionsBoundary: Policy?.Arn }
  await root.iam.send(new PutRolePermissionsBoundaryCommand(bounding))
  const noBoundary = 'because no permissions boundary allows the ACTION action'
  await refused(allowed, workerArn, noBoundary)
})

test('a key policy that denies, or allows nobody, is named as such', async () => {
  const put = (Policy: string): Promise<unknown> =>
    root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const Deny = { Effect: 'Deny', Principal: { AWS: anybody.arn }, Action: 'kms:*' }
  await put(policy(delegating, Deny))
  const explicit = 'with an explicit deny in a resource-based policy'
  await refused(anybody.kms, anybody.arn, explicit)
  const Condition = { StringEquals: { 'aws:PrincipalType': 'Account' } }
  await put(policy({ ...delegating, Condition }))
  await refused(
    anybody.kms,
    anybody.arn,
    'because no resource-based policy allows the ACTION action',
  )
  await put(policy(delegating))
})

test('another account is told one sentence for a key that it may not use and one that is not there', async () => {
  const made = (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
  const outsider = as(made)
  const hidden =
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
    'region, or you are not allowed to access.'
  const closed = (kms: KMSClient, blob = CiphertextBlob): Promise<void> =>
    denied(
      kms.send(new DecryptCommand({ CiphertextBlob: blob })),
      'AccessDeniedException',
      400,
      hidden,
    )
  await closed(outsider.kms)
  // A Deny of the outsider's own account, on whatever it may be, tells nothing either.
  const Statement = { Principal: '*', Action: 'kms:Decrypt' }
  await root.kms.send(
    new PutKeyPolicyCommand({
      KeyId,
      Policy: policy(delegating, Statement, { ...Statement, Effect: 'Deny' }),
    }),
  )
  await closed(outsider.kms)
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy(delegating) }))
  // Unknown to everybody: the key's own account gets no other answer.
  assert(CiphertextBlob)
  const unknown = Buffer.from(CiphertextBlob)
  const there = await outsider.kms.send(
    new EncryptCommand({ KeyId: (await makeKey(outsider.kms)).keyId, Plaintext }),
  )
  await closed(root.kms, there.CiphertextBlob)
  await root.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await closed(outsider.kms, unknown)
})
