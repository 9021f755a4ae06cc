/**
 * The words of every refusal, through the official SDK: whose policy it was, and what nobody is told.
 * Source: AWS's answers as recorded, and the troubleshooting page of the IAM user guide.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreatePolicyCommand,
  GetUserCommand,
  PutRolePermissionsBoundaryCommand,
  PutUserPermissionsBoundaryCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, region } from '../harness.ts'
import { absentKey } from './grants.ts'
import { account, delegating, encrypt, Plaintext, policy } from './guides.ts'
import {
  credentialsOf,
  denied,
  documentOf,
  openIdentities,
  type Identities,
  type MadeUser,
  type Signed,
} from './identities.ts'
import { makeKey } from './sdk.ts'

const ends: (() => Promise<void>)[] = []
after(async () => {
  for (const end of ends) await end()
})
let identities: Identities
let outsider: Signed
const users: Record<string, MadeUser> = {}
/** A key of the default policy, and one whose policy gives nobody but the root user anything. */
let open: string
let closed: string

const everything = { Action: ['kms:*', 'sts:*'] }
const listing = documentOf({ Action: 'kms:List*' })
const deny = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'kms:Encrypt', Resource: '*' },
  ],
})
const ownerOnly = (...more: readonly object[]): string =>
  policy({ Principal: { AWS: account }, Action: 'kms:*', Condition: onlyRoot }, ...more)
const onlyRoot = { StringEquals: { 'aws:PrincipalType': 'Account' } }

before(async () => {
  identities = await openIdentities({ after: (end) => void ends.push(end) })
  const { as, newUser, root, server } = identities
  const made = (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
  outsider = as(made)
  users['nobody'] = await newUser('nobody')
  users['anybody'] = await newUser('anybody', everything)
  users['denied'] = await newUser('denied', { Effect: 'Deny', ...everything })
  for (const [UserName, PolicyDocument] of [
    ['bounded', listing],
    ['forbidden', deny],
  ] as const) {
    users[UserName] = await newUser(UserName, everything)
    const PermissionsBoundary = await managed(UserName, PolicyDocument)
    await root.iam.send(new PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary }))
  }
  open = (await makeKey(root.kms)).keyId
  closed = (await makeKey(root.kms, { Policy: ownerOnly() })).keyId
})

async function managed(PolicyName: string, PolicyDocument: string): Promise<string> {
  const { Policy } = await identities.root.iam.send(
    new CreatePolicyCommand({ PolicyName, PolicyDocument }),
  )
  assert(Policy?.Arn)
  return Policy.Arn
}

const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`
const refusedWith = (call: Promise<unknown>, message: string): Promise<void> =>
  denied(call, 'AccessDeniedException', 400, message)
const opening = (arn: string, action: string): string =>
  `User: ${arn} is not authorized to perform: kms:${action}`

/** What is said of kms:Encrypt, to whom, on which key. */
const table: readonly (readonly [who: string, key: () => string, why: string])[] = [
  ['nobody', () => open, 'because no identity-based policy allows the kms:Encrypt action'],
  ['nobody', () => closed, 'because no resource-based policy allows the kms:Encrypt action'],
  ['anybody', () => closed, 'because no resource-based policy allows the kms:Encrypt action'],
  ['denied', () => open, 'with an explicit deny in an identity-based policy'],
  ['denied', () => closed, 'with an explicit deny in an identity-based policy'],
  ['bounded', () => open, 'because no permissions boundary allows the kms:Encrypt action'],
  ['forbidden', () => open, 'with an explicit deny in a permissions boundary'],
]
for (const [who, key, why] of table) {
  test(`${who}: ${why}`, async () => {
    const user = users[who]
    assert(user)
    const message = `${opening(user.arn, 'Encrypt')} on resource: ${arnOf(key())} ${why}`
    await refusedWith(encrypt(user.kms, key()), message)
  })
}

test('a key policy’s deny is named, and stands above everything', async () => {
  const { anybody } = users
  assert(anybody)
  const Deny = { Effect: 'Deny', Principal: { AWS: anybody.arn }, Action: 'kms:Encrypt' }
  const { keyId } = await makeKey(identities.root.kms, { Policy: policy(delegating, Deny) })
  const where = `${opening(anybody.arn, 'Encrypt')} on resource: ${arnOf(keyId)}`
  const message = `${where} with an explicit deny in a resource-based policy`
  await refusedWith(encrypt(anybody.kms, keyId), message)
})

test('what is about no key is said with a star, and tags of a new key with no resource', async () => {
  const { nobody } = users
  assert(nobody)
  const { arn, kms } = nobody
  const because = (action: string): string =>
    `because no identity-based policy allows the kms:${action} action`
  const star = (action: string): string =>
    `${opening(arn, action)} on resource: * ${because(action)}`
  await refusedWith(kms.send(new ListKeysCommand({})), star('ListKeys'))
  await refusedWith(kms.send(new CreateKeyCommand({})), star('CreateKey'))
  const maker = await identities.newUser('maker', { Action: 'kms:CreateKey' })
  const Tags = [{ TagKey: 'a', TagValue: 'b' }]
  const tagging = `${opening(maker.arn, 'TagResource')} ${because('TagResource')}`
  await refusedWith(maker.kms.send(new CreateKeyCommand({ Tags })), tagging)
  const keysOnly = await identities.newUser('keysonly', {
    Action: 'kms:*',
    Resource: arnOf('*'),
  })
  const alias = `arn:aws:kms:${region}:${accountId}:alias/x`
  const naming = keysOnly.kms.send(
    new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: open }),
  )
  const onAlias = `${opening(keysOnly.arn, 'CreateAlias')} on resource: ${alias}`
  await refusedWith(naming, `${onAlias} ${because('CreateAlias')}`)
})

test('session policies and the boundary of a role are named as such, by whichever way the role is allowed', async () => {
  const { anybody } = users
  assert(anybody)
  const { as, newRole, root } = identities
  const trust = { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' }
  const { arn: RoleArn } = await newRole('worker', trust, everything)
  const { keyId } = await makeKey(root.kms, {
    Policy: policy(delegating, { Principal: { AWS: RoleArn }, Action: 'kms:Encrypt' }),
  })
  const grant = { KeyId: closed, GranteePrincipal: RoleArn, Operations: ['Encrypt' as const] }
  await root.kms.send(new CreateGrantCommand(grant))
  const assume = async (more: Partial<AssumeRoleCommandInput>): Promise<KMSClient> => {
    const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 's1', ...more })
    return as(credentialsOf((await anybody.sts.send(command)).Credentials)).kms
  }
  const session = `arn:aws:sts::${accountId}:assumed-role/worker/s1`
  const says = (key: string, why: string): string =>
    `${opening(session, 'Encrypt')} on resource: ${arnOf(key)} ${why}`
  const limited = await assume({ Policy: listing })
  const forbidden = await assume({ Policy: deny })
  const free = await assume({})
  const noSession = 'because no session policy allows the kms:Encrypt action'
  // By identity policy, by key policy, by grant.
  for (const key of [open, keyId, closed]) {
    await encrypt(free, key)
    await refusedWith(encrypt(limited, key), says(key, noSession))
    const explicit = 'with an explicit deny in a session policy'
    await refusedWith(encrypt(forbidden, key), says(key, explicit))
  }
  const bounding = { RoleName: 'worker', PermissionsBoundary: await managed('small', listing) }
  await root.iam.send(new PutRolePermissionsBoundaryCommand(bounding))
  const noBoundary = 'because no permissions boundary allows the kms:Encrypt action'
  for (const key of [open, keyId, closed]) {
    await refusedWith(encrypt(free, key), says(key, noBoundary))
  }
})

test('another account is told its own side, and of the owner’s one sentence whatever it is', async () => {
  const { root } = identities
  const { Arn: arn = '' } = (await outsider.whoAmI()) as { readonly Arn?: string }
  const hidden = (action: string): string =>
    `${opening(arn, action)} on this resource because the resource does not exist in this Region, ` +
    'no resource-based policies allow access, or a resource-based policy explicitly denies access'
  const Everyone = { Principal: '*', Action: 'kms:*' }
  const Deny = { Effect: 'Deny', Principal: { AWS: arn }, Action: 'kms:Encrypt' }
  const shared = (await makeKey(root.kms, { Policy: policy(Everyone) })).keyId
  const denying = (await makeKey(root.kms, { Policy: policy(Everyone, Deny) })).keyId
  for (const key of [absentKey, arnOf(closed), arnOf(denying)]) {
    await refusedWith(encrypt(outsider.kms, key), hidden('Encrypt'))
  }
  await encrypt(outsider.kms, arnOf(shared))
  // What cannot be given to other accounts is not, whatever the policy says.
  const reading = outsider.kms.send(new GetKeyPolicyCommand({ KeyId: arnOf(shared) }))
  await refusedWith(reading, hidden('GetKeyPolicy'))
  const Policy = policy(Everyone)
  const writing = outsider.kms.send(new PutKeyPolicyCommand({ KeyId: arnOf(shared), Policy }))
  await refusedWith(writing, hidden('PutKeyPolicy'))
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId: closed, Plaintext }))
  const ciphertext =
    'The ciphertext refers to a customer master key that does not exist, does not exist in this ' +
    'region, or you are not allowed to access.'
  await refusedWith(outsider.kms.send(new DecryptCommand({ CiphertextBlob })), ciphertext)
})

test('in the own account a key that is not there is told before anything is authorized', async () => {
  const { nobody } = users
  assert(nobody)
  const message = `Key '${absentKey}' does not exist`
  await denied(encrypt(nobody.kms, absentKey), 'NotFoundException', 400, message)
})

test('IAM says it in its own form', async () => {
  const { nobody } = users
  assert(nobody)
  const asked = nobody.iam.send(new GetUserCommand({ UserName: 'anybody' }))
  const because = 'because no identity-based policy allows the iam:GetUser action'
  const message = `User: ${nobody.arn} is not authorized to perform: iam:GetUser on resource: user anybody ${because}`
  await denied(asked, 'AccessDenied', 403, message)
})
