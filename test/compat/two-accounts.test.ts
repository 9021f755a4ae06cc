/** Accounts that operators make, and what users of one may do in another. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId } from '../harness.ts'
import {
  credentialsOf,
  denied,
  documentOf,
  newKey,
  openIdentities,
  type Identities,
  type Signed,
} from './identities.ts'
import { recordTexts, recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const Plaintext = Buffer.from('x')
const otherId = '444455556666'

async function newAccount(
  { as, server }: Identities,
  id?: string,
): Promise<Signed & { readonly accountId: string }> {
  const made = (await callOperator(server.directory, 'CreateAccount', {
    accountId: id,
  })) as CreatedAccount
  const { accessKeyId, secretAccessKey } = made
  return { ...as({ accessKeyId, secretAccessKey }), accountId: made.accountId }
}

async function userOf(
  identities: Identities,
  root: Signed,
  UserName: string,
  statement?: object,
): Promise<Signed & { readonly arn: string }> {
  const { User } = await root.iam.send(new CreateUserCommand({ UserName }))
  if (statement !== undefined) {
    const PolicyDocument = documentOf(statement)
    await root.iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
  }
  assert(User?.Arn)
  return { ...identities.as(await newKey(root, UserName)), arn: User.Arn }
}

const keyPolicy = (...statements: readonly object[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Principal: { AWS: accountId }, Action: 'kms:*' }, ...statements].map(
      (statement) => ({ Effect: 'Allow', Resource: '*', ...statement }),
    ),
  })

test('an account is made with its root user, whose secret is told once and recorded nowhere', async (t) => {
  const identities = await openIdentities(t)
  const { server } = identities
  const other = await newAccount(identities, otherId)
  assert.deepEqual(await other.whoAmI(), {
    UserId: otherId,
    Account: otherId,
    Arn: `arn:aws:iam::${otherId}:root`,
  })
  await makeKey(other.kms)
  const { Keys } = await identities.root.kms.send(new ListKeysCommand({}))
  assert.deepEqual(Keys, [])
  await assert.rejects(newAccount(identities, otherId), /AlreadyExistsException/)
  await assert.rejects(newAccount(identities, '1'), /ValidationException/)
  const random = await newAccount(identities)
  assert.match(random.accountId, /^[1-9]\d{11}$/)
  const records = await recordsOf(server.directory)
  const made = records.find(({ eventName }) => eventName === 'CreateAccount')
  assert(made)
  const texts = (await recordTexts(server.directory)).join('\n')
  for (const { credentials } of [other, random]) {
    assert(texts.includes(credentials.accessKeyId))
    assert(!texts.includes(credentials.secretAccessKey))
  }
})

test('the command makes accounts and names them', async (t) => {
  const identities = await openIdentities(t)
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: identities.server.directory }
  const trent = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, 'account', ...args], { env })).stdout
  const text = await trent('create', '--id', otherId)
  const [, accessKeyId = '', secretAccessKey = ''] =
    /aws_access_key_id = (\S+)\naws_secret_access_key = (\S+)\n/.exec(text) ?? []
  await identities.as({ accessKeyId, secretAccessKey }).whoAmI()
  const made = JSON.parse(await trent('create', '--json')) as CreatedAccount
  const listed = await trent('list')
  for (const id of [accountId, otherId, made.accountId])
    assert.match(listed, new RegExp(`^${id} `, 'm'))
  const { accounts } = JSON.parse(await trent('list', '--json')) as { accounts: unknown[] }
  assert.equal(accounts.length, 3)
})

test('a user of another account needs its own account’s permission and the key policy’s', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const other = await newAccount(identities, otherId)
  const may = await userOf(identities, other, 'may', { Action: 'kms:*' })
  const mayNot = await userOf(identities, other, 'may-not')
  // A deny of one's own, on what the key is, tells nothing of it.
  const Condition = { StringLike: { 'aws:ResourceTag/project': 's*' } }
  const asks = await userOf(identities, other, 'asks', {
    Effect: 'Deny',
    Action: 'kms:*',
    Condition,
  })
  const use = ['kms:Encrypt', 'kms:DescribeKey']
  const Tags = [{ TagKey: 'project', TagValue: 'secret' }]
  const { arn: KeyId } = await makeKey(root.kms, { Policy: keyPolicy(), Tags })
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  const hidden = (arn: string, action: string): string =>
    `User: ${arn} is not authorized to perform: ${action} on this resource because the resource does ` +
    'not exist in this Region, no resource-based policies allow access, or a resource-based policy ' +
    'explicitly denies access'
  // One text for a key that forbids and for one that is not there.
  const absent = `${KeyId.slice(0, -1)}${KeyId.endsWith('0') ? '1' : '0'}`
  for (const id of [KeyId, absent]) {
    const command = new EncryptCommand({ KeyId: id, Plaintext })
    for (const { kms, arn } of [may, asks]) {
      const text = hidden(arn, 'kms:Encrypt')
      await denied(kms.send(command), 'AccessDeniedException', 400, text)
    }
  }
  const put = (...statements: readonly object[]) =>
    root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy(...statements) }))
  for (const AWS of [otherId, [may.arn, mayNot.arn]]) {
    await put({ Principal: { AWS }, Action: use })
    await may.kms.send(encrypt)
    await may.kms.send(new DescribeKeyCommand({ KeyId }))
    await denied(
      mayNot.kms.send(encrypt),
      'AccessDeniedException',
      400,
      `User: ${mayNot.arn} is not authorized to perform: kms:Encrypt on this resource because no ` +
        'identity-based policy allows the kms:Encrypt action',
    )
  }
  // What no other account can be given, no policy gives.
  await put({ Principal: { AWS: otherId }, Action: 'kms:*' })
  const disable = may.kms.send(new DisableKeyCommand({ KeyId }))
  await denied(disable, 'AccessDeniedException', 400, hidden(may.arn, 'kms:DisableKey'))
  await other.kms.send(encrypt)
})

test('a grant to a user of another account gives what that account allows its user', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const other = await newAccount(identities, otherId)
  const user = await userOf(identities, other, 'granted')
  const { arn: KeyId } = await makeKey(root.kms)
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  const grant = { KeyId, GranteePrincipal: user.arn, Operations: ['Encrypt' as const] }
  await root.kms.send(new CreateGrantCommand(grant))
  await denied(user.kms.send(encrypt), 'AccessDeniedException', 400, /no identity-based policy/)
  const PolicyDocument = documentOf({ Action: 'kms:Encrypt', Resource: KeyId })
  const { Policy } = await other.iam.send(
    new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument }),
  )
  await other.iam.send(new AttachUserPolicyCommand({ UserName: 'granted', PolicyArn: Policy?.Arn }))
  await user.kms.send(encrypt)
})

test('a role is assumed across accounts when both sides allow, by an external id where one is asked for', async (t) => {
  const identities = await openIdentities(t)
  const { as, newRole } = identities
  const other = await newAccount(identities, otherId)
  const may = await userOf(identities, other, 'deputy', { Action: 'sts:AssumeRole' })
  const mayNot = await userOf(identities, other, 'stranger')
  const role = await newRole(
    'shared',
    {
      Effect: 'Allow',
      Principal: { AWS: otherId },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'customer-7' } },
    },
    { Action: 'kms:*' },
  )
  const assume = (by: Signed, ExternalId?: string) =>
    by.sts.send(new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'job', ExternalId }))
  const { Credentials } = await assume(may, 'customer-7')
  const session = as(credentialsOf(Credentials))
  assert.deepEqual(await session.whoAmI(), {
    UserId: `${role.roleId}:job`,
    Account: accountId,
    Arn: `arn:aws:sts::${accountId}:assumed-role/shared/job`,
  })
  await makeKey(session.kms)
  const refused = (by: Signed & { readonly arn: string }, id?: string) =>
    denied(
      assume(by, id),
      'AccessDenied',
      403,
      `User: ${by.arn} is not authorized to perform: sts:AssumeRole on resource: ${role.arn}`,
    )
  await refused(may)
  await refused(may, 'customer-8')
  await refused(mayNot, 'customer-7')
})
