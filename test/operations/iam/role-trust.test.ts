/** Trust policies of roles, and roles in other policies: both hold unique ids, so that no namesake inherits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  GetRoleCommand,
  ListRolesCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  CreateKeyCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { denied, openIdentities, userArnOf, type Signed } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'
import { newRole, roleArnOf, trustOf } from './role-cases.ts'

async function trustIn(by: Signed, RoleName: string): Promise<string> {
  const { Role } = await by.iam.send(new GetRoleCommand({ RoleName }))
  return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')
}

test('a trust policy shows deleted principals by unique id, and does not trust their namesakes', async (t) => {
  const { root } = await openIdentities(t)
  const { User } = await root.iam.send(new CreateUserCommand({ UserName: 'ada' }))
  const ops = await newRole(root, 'ops', { Path: '/a/' })
  const session = `arn:aws:sts::${accountId}:assumed-role/ops/ci`
  const trust = trustOf({ AWS: [userArnOf('ada'), ops.Arn, session], Service: 'ec2.amazonaws.com' })
  await newRole(root, 'trusting', { AssumeRolePolicyDocument: trust })
  assert.equal(await trustIn(root, 'trusting'), trust)
  await root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  await root.iam.send(new DeleteRoleCommand({ RoleName: 'ops' }))
  const told = JSON.stringify({
    ...JSON.parse(trust),
    Statement: {
      ...JSON.parse(trust).Statement,
      Principal: {
        AWS: [User?.UserId, ops.RoleId, `${ops.RoleId}:ci`],
        Service: 'ec2.amazonaws.com',
      },
    },
  })
  assert.deepEqual(JSON.parse(await trustIn(root, 'trusting')), JSON.parse(told))
  await root.iam.send(new CreateUserCommand({ UserName: 'ada' }))
  await newRole(root, 'ops', { Path: '/a/' })
  assert.deepEqual(JSON.parse(await trustIn(root, 'trusting')), JSON.parse(told))
  const { Roles } = await root.iam.send(new ListRolesCommand({}))
  const listed = Roles?.find(({ RoleName }) => RoleName === 'trusting')
  assert.match(decodeURIComponent(listed?.AssumeRolePolicyDocument ?? ''), /AROA/)
  const back = root.iam.send(
    new UpdateAssumeRolePolicyCommand({ RoleName: 'trusting', PolicyDocument: told }),
  )
  const invalid = `Invalid principal in policy: "AWS":"${User?.UserId}"`
  await denied(back, 'MalformedPolicyDocumentException', 400, invalid)
  const renewed = new UpdateAssumeRolePolicyCommand({ RoleName: 'trusting', PolicyDocument: trust })
  await root.iam.send(renewed)
  assert.equal(await trustIn(root, 'trusting'), trust)
})

test('a trust policy that AWS refuses is refused, and changes nothing', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, 'r')
  const before = await trustIn(root, 'r')
  const refused = async (document: string, name: string, status: number, says: string | RegExp) => {
    const made = newRole(root, 'made', { AssumeRolePolicyDocument: document })
    await denied(made, name, status, says)
    const command = new UpdateAssumeRolePolicyCommand({ RoleName: 'r', PolicyDocument: document })
    await denied(root.iam.send(command), name, status, says)
  }
  const malformed = (document: string, says: string | RegExp): Promise<void> =>
    refused(document, 'MalformedPolicyDocumentException', 400, says)
  await malformed('{', 'This policy contains invalid Json')
  await malformed('['.repeat(20_000), 'This policy contains invalid Json')
  await malformed(trustOf('*'), 'Principal must be a JSON object.')
  await malformed(trustOf({ AWS: '*' }, { Resource: '*' }), 'Has prohibited field Resource')
  const action = 'AssumeRole policy may only specify STS AssumeRole actions.'
  await malformed(trustOf({ AWS: '*' }, { Action: 'kms:*' }), action)
  for (const [type, name] of [
    ['AWS', userArnOf('nobody')],
    ['AWS', roleArnOf('nobody')],
    ['AWS', roleArnOf('wrong/path/r')],
    ['AWS', '999988887777'],
    ['AWS', 'arn:aws:iam::999988887777:role/r'],
    ['AWS', `arn:aws:iam::${accountId}:group/g`],
    ['AWS', `arn:aws:sts::${accountId}:assumed-role/nobody/s`],
    ['Service', 'nobody.example'],
  ] as const) {
    const says = `Invalid principal in policy: "${type.toUpperCase()}":"${name}"`
    await malformed(trustOf({ [type]: name }), says)
  }
  const quota = 'Cannot exceed quota for ACLSizePerRole: 2048'
  const long = trustOf({ AWS: '*' }, { Sid: 'x'.repeat(2048) })
  await refused(long, 'LimitExceededException', 409, quota)
  await refused('x'.repeat(131_073), 'ValidationError', 400, /^1 validation error detected/)
  assert.equal(await trustIn(root, 'r'), before)
})

test('key policies and grants name roles and sessions, and show deleted ones by unique id', async (t) => {
  const { root } = await openIdentities(t)
  const { RoleId } = await newRole(root, 'ops', { Path: '/a/' })
  const session = `arn:aws:sts::${accountId}:assumed-role/ops/ci`
  const policyNaming = (...AWS: string[]): string => {
    const own = {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'kms:*',
      Resource: '*',
    }
    const named = { Effect: 'Allow', Principal: { AWS }, Action: 'kms:Encrypt', Resource: '*' }
    return JSON.stringify({ Version: '2012-10-17', Statement: [own, named] })
  }
  const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const put = (Policy: string): Promise<unknown> =>
    root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const invalid = 'Policy contains a statement with one or more invalid principals.'
  for (const arn of [roleArnOf('ops'), roleArnOf('a/OPS'), session.replace('ops', 'nobody')]) {
    const refused = put(policyNaming(arn))
    await denied(refused, 'MalformedPolicyDocumentException', 400, invalid)
  }
  await put(policyNaming(roleArnOf('a/ops'), session))
  const grant = new CreateGrantCommand({
    KeyId,
    GranteePrincipal: session,
    Operations: ['Encrypt'],
  })
  await root.kms.send(grant)
  await root.iam.send(new DeleteRoleCommand({ RoleName: 'ops' }))
  await newRole(root, 'ops', { Path: '/a/' })
  const { Policy } = await root.kms.send(new GetKeyPolicyCommand({ KeyId }))
  const [, named] = JSON.parse(Policy ?? '{}').Statement
  assert.deepEqual(named.Principal.AWS, [RoleId, `${RoleId}:ci`])
  const { Grants } = await root.kms.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    Grants?.map(({ GranteePrincipal }) => GranteePrincipal),
    [`${RoleId}:ci`],
  )
})
