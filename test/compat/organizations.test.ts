/** Organisations as operators set them, and what they limit of calls through the SDK. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateAccountAliasCommand,
  CreateUserCommand,
  DeleteAccountAliasCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { accountId } from '../harness.ts'
import {
  denied,
  documentOf,
  newKey,
  openIdentities,
  type Identities,
  type Signed,
} from './identities.ts'
import {
  fullAccess as full,
  keepOut,
  noDecrypt,
  organizationId,
  organizationUnit,
} from './organizations.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const Plaintext = Buffer.from('x')
const update = ({ server }: Identities, given: object): Promise<unknown> =>
  callOperator(server.directory, 'UpdateAccount', { accountId, ...given })

async function neighbour({ as, server }: Identities): Promise<Signed & { accountId: string }> {
  const made = (await callOperator(server.directory, 'CreateAccount')) as CreatedAccount
  return { ...as(made), accountId: made.accountId }
}

test('a service control policy limits users, sessions and the root user, at once and until it goes', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser } = identities
  const alice = await newUser('alice', { Action: 'kms:*' })
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const { CiphertextBlob } = await alice.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const decrypt = (by: Signed): Promise<unknown> =>
    by.kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))
  await decrypt(alice)
  await update(identities, { organizationId, serviceControlPolicies: [[full, noDecrypt]] })
  for (const [by, who] of [
    [alice, alice.arn],
    [root, `arn:aws:iam::${accountId}:root`],
  ] as const) {
    await denied(
      decrypt(by),
      'AccessDeniedException',
      400,
      `User: ${who} is not authorized to perform: kms:Decrypt on resource: ${arn} with an explicit deny in a service control policy`,
    )
    await by.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  }
  const onlyEncrypt = documentOf({ Action: ['kms:Encrypt', 'iam:*'] })
  await update(identities, { serviceControlPolicies: [[full], [onlyEncrypt]] })
  await denied(
    decrypt(alice),
    'AccessDeniedException',
    400,
    `User: ${alice.arn} is not authorized to perform: kms:Decrypt on resource: ${arn} because no service control policy allows the kms:Decrypt action`,
  )
  await denied(
    root.kms.send(new CreateKeyCommand({})),
    'AccessDeniedException',
    400,
    /on resource: \* because no service control policy allows the kms:CreateKey action$/,
  )
  const role = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await identities.newRole('R', role, { Action: 'kms:*' })
  const assume = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ss' })
  await denied(
    alice.sts.send(assume),
    'AccessDenied',
    403,
    /is not authorized to perform: sts:AssumeRole/,
  )
  // What it says of its alias does not touch its organisation.
  await root.iam.send(new CreateAccountAliasCommand({ AccountAlias: 'ours' }))
  await root.iam.send(new DeleteAccountAliasCommand({ AccountAlias: 'ours' }))
  await assert.rejects(decrypt(alice))
  const refusal = (await recordsOf(identities.server.directory)).findLast(
    ({ eventName }) => eventName === 'Decrypt',
  )
  assert.deepEqual(
    refusal?.trent.reasons.map(({ effect, policy }) => [effect, policy]),
    [['implicit-deny', 'service-control']],
  )
  await update(identities, { leaveOrganization: true })
  await decrypt(alice)
})

test('a resource control policy keeps other organisations out, of keys and of roles', async (t) => {
  const identities = await openIdentities(t)
  const { root, server, newRole } = identities
  const other = await neighbour(identities)
  const everybody = { Principal: { AWS: '*' }, Action: 'kms:*' }
  const { keyId, arn: KeyId } = await makeKey(root.kms)
  await root.kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy: documentOf(everybody) }))
  const trust = { Effect: 'Allow', Principal: { AWS: other.accountId }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('Shared', trust)
  await other.iam.send(new CreateUserCommand({ UserName: 'bob' }))
  const PolicyDocument = documentOf({ Action: 'sts:*' })
  const policy = { UserName: 'bob', PolicyName: 'sts', PolicyDocument }
  await other.iam.send(new PutUserPolicyCommand(policy))
  const bob = identities.as(await newKey(other, 'bob'))
  const assume = (): Promise<unknown> =>
    bob.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'bob' }))
  await assume()
  const encrypt = (by: Signed): Promise<unknown> =>
    by.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await encrypt(other)
  await update(identities, { organizationId, resourceControlPolicies: [keepOut] })
  await denied(
    encrypt(other),
    'AccessDeniedException',
    400,
    /is not authorized to perform: kms:Encrypt on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access$/,
  )
  await denied(assume(), 'AccessDenied', 403, /is not authorized to perform: sts:AssumeRole/)
  await encrypt(root)
  const told = { accountId: other.accountId, organizationId }
  await callOperator(server.directory, 'UpdateAccount', told)
  await encrypt(other)
  await assume()
  await callOperator(server.directory, 'UpdateAccount', {
    ...told,
    organizationId: 'o-elsewhere00',
  })
  await assert.rejects(encrypt(other))
  await update(identities, { resourceControlPolicies: [] })
  await encrypt(other)
})

test('policies ask for the organisations of the caller and of the key', async (t) => {
  const identities = await openIdentities(t)
  const { root, server } = identities
  const other = await neighbour(identities)
  const { keyId, arn: KeyId } = await makeKey(root.kms)
  const only = (Condition: object): Promise<unknown> => {
    const ours = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'kms:*', Resource: '*' }
    const theirs = { ...ours, Principal: { AWS: '*' }, Action: 'kms:Encrypt', Condition }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [ours, theirs] })
    return root.kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  }
  const encrypts = (): Promise<boolean> =>
    other.kms.send(new EncryptCommand({ KeyId, Plaintext })).then(
      () => true,
      () => false,
    )
  const set = (who: string, given: object): Promise<unknown> =>
    callOperator(server.directory, 'UpdateAccount', { accountId: who, ...given })
  await only({ StringEquals: { 'aws:PrincipalOrgID': organizationId } })
  assert.equal(await encrypts(), false)
  await set(other.accountId, { organizationId })
  assert.equal(await encrypts(), true)
  const under = `${organizationId}/r-ab12/*`
  await only({ 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': under } })
  assert.equal(await encrypts(), false)
  await set(other.accountId, { organizationUnit })
  assert.equal(await encrypts(), true)
  await set(other.accountId, { organizationUnit: 'r-zz99' })
  assert.equal(await encrypts(), false)
  await only({ StringEquals: { 'aws:ResourceOrgID': '${aws:PrincipalOrgID}' } })
  assert.equal(await encrypts(), false)
  await set(accountId, { organizationId, organizationUnit })
  assert.equal(await encrypts(), true)
  await only({
    'ForAnyValue:StringEquals': {
      'aws:ResourceOrgPaths': `${organizationId}/${organizationUnit}/`,
    },
  })
  assert.equal(await encrypts(), true)
})

test('the lockout check knows the caller’s organisation', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const { keyId: KeyId } = await makeKey(root.kms)
  const Condition = { StringEquals: { 'aws:PrincipalOrgID': organizationId } }
  const Policy = documentOf({ Principal: { AWS: accountId }, Action: 'kms:*', Condition })
  const put = (): Promise<unknown> => root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const lockedOut = /will not allow you to update the key policy in the future/
  await denied(put(), 'MalformedPolicyDocumentException', 400, lockedOut)
  await update(identities, { organizationId })
  await put()
})

test('a reset of test data ends the organisation of the first account', async (t) => {
  const identities = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const { root, server } = identities
  await update(identities, { organizationId, serviceControlPolicies: [[noDecrypt]] })
  await assert.rejects(root.kms.send(new CreateKeyCommand({})))
  const reset = await fetch(`${server.url}/_trent/test/reset`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  })
  assert.equal(reset.status, 200)
  await root.kms.send(new CreateKeyCommand({}))
})

test('a resource control policy does not reach the keys that services keep for an account', async (t) => {
  const identities = await openIdentities(t)
  const { kms } = identities.root
  const none = documentOf({ Effect: 'Deny', Principal: '*', Action: 'kms:*' })
  const { keyId } = await makeKey(kms)
  await update(identities, { organizationId, resourceControlPolicies: [none] })
  const words = /with an explicit deny in a resource control policy$/
  const describe = (KeyId: string): Promise<unknown> => kms.send(new DescribeKeyCommand({ KeyId }))
  await denied(describe(keyId), 'AccessDeniedException', 400, words)
  await describe('alias/aws/ebs')
})
