/** Effects of calls on a role on its sessions: policies, boundary, tags and last use. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  GetRoleCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
} from '@aws-sdk/client-iam'
import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import {
  credentialsOf,
  denied,
  documentOf,
  openIdentities,
  type Identities,
  type Signed,
} from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'

const RoleName = 'ops'
const trust = { Effect: 'Allow', Principal: { AWS: accountId }, Action: 'sts:AssumeRole' }
const random = new GenerateRandomCommand({ NumberOfBytes: 1 })
const refused = /kms:GenerateRandom/

/** Opens a session of a new role. `statement` is the only statement of the role's policies. */
async function openSession({ newRole, newUser, as }: Identities, statement?: object) {
  const role = await newRole(RoleName, trust, statement)
  const ada = await newUser('ada', { Action: 'sts:AssumeRole' })
  const command = new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: 'ci' })
  const { Credentials } = await ada.sts.send(command)
  return as(credentialsOf(Credentials))
}

async function newPolicy(by: Signed, PolicyName: string, Action: string): Promise<string> {
  const PolicyDocument = documentOf({ Action })
  const { Policy } = await by.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))
  assert(Policy?.Arn)
  return Policy.Arn
}

test('a session has the current permissions of its role, within the role’s boundary', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const session = await openSession(identities)
  const may = (): Promise<unknown> => session.kms.send(random)
  await denied(may(), 'AccessDeniedException', 400, /no identity-based policy allows/)
  const give = await newPolicy(root, 'give', 'kms:*')
  await root.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: give }))
  await may()
  const less = await newPolicy(root, 'less', 'kms:List*')
  const bound = { RoleName, PermissionsBoundary: less }
  await root.iam.send(new PutRolePermissionsBoundaryCommand(bound))
  await denied(may(), 'AccessDeniedException', 400, /no permissions boundary allows/)
  await root.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }))
  await may()
  const PolicyDocument = documentOf({
    Effect: 'Deny',
    Action: 'kms:GenerateRandom',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } },
  })
  const deny = { RoleName, PolicyName: 'deny', PolicyDocument }
  await root.iam.send(new PutRolePolicyCommand(deny))
  await may()
  await root.iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: 'team', Value: 'blue' }] }))
  await denied(may(), 'AccessDeniedException', 400, /explicit deny in an identity-based policy/)
})

test('the last use of a role is the last call of a session, allowed or not', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const lastUse = async (): Promise<{ LastUsedDate?: Date; Region?: string } | undefined> => {
    const { Role } = await root.iam.send(new GetRoleCommand({ RoleName }))
    return Role?.RoleLastUsed as { LastUsedDate?: Date; Region?: string } | undefined
  }
  const before = Math.floor(Date.now() / 1000) * 1000
  const session = await openSession(identities)
  assert.deepEqual(await lastUse(), {})
  await denied(session.kms.send(random), 'AccessDeniedException', 400, refused)
  const used = await lastUse()
  assert.equal(used?.Region, 'us-west-2')
  const at = used.LastUsedDate?.getTime() ?? 0
  assert.ok(at >= before && at <= Date.now(), String(used.LastUsedDate))
})
