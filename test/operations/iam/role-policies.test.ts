/** The policies of roles: inline policies, attached policies, and the boundary that limits both. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam'
import { denied, documentOf, notAllowed, openIdentities } from '../../compat/identities.ts'
import type { Signed } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'
import { newRole } from './role-cases.ts'

const RoleName = 'r'

async function newPolicy(by: Signed, PolicyName: string): Promise<string> {
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  const { Policy } = await by.iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }))
  assert(Policy?.Arn)
  return Policy.Arn
}

test('inline policies of a role are written, returned unchanged, listed and deleted', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, RoleName)
  const document = ` ${documentOf({ Action: 'kms:Encrypt', Resource: '*' })}`
  const put = (PolicyName: string, PolicyDocument: string): Promise<unknown> =>
    root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
  await put('b', document)
  await put('a', document)
  await put('__proto__', document)
  const { PolicyNames } = await root.iam.send(new ListRolePoliciesCommand({ RoleName }))
  assert.deepEqual(PolicyNames, ['__proto__', 'a', 'b'])
  const { InstanceProfiles, IsTruncated } = await root.iam.send(
    new ListInstanceProfilesForRoleCommand({ RoleName }),
  )
  assert.deepEqual([InstanceProfiles, IsTruncated], [[], false])
  const absent = root.iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'none' }))
  const message = 'The role with name none cannot be found.'
  await denied(absent, 'NoSuchEntityException', 404, message)
  const told = await root.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'a' }))
  assert.equal(decodeURIComponent(told.PolicyDocument ?? ''), document)
  const long = documentOf({ Action: `kms:${'x'.repeat(10_200)}` })
  const quota = 'Maximum policy size of 10240 bytes exceeded for role r'
  await denied(put('c', long), 'LimitExceededException', 409, quota)
  await denied(put('c', '{'), 'MalformedPolicyDocumentException', 400, 'Syntax errors in policy.')
  const conflict = 'Cannot delete entity, must delete policies first.'
  const ended = root.iam.send(new DeleteRoleCommand({ RoleName }))
  await denied(ended, 'DeleteConflictException', 409, conflict)
  for (const PolicyName of ['a', 'b', '__proto__']) {
    await root.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))
  }
  const missing = 'The role policy with name a cannot be found.'
  const again = root.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'a' }))
  await denied(again, 'NoSuchEntityException', 404, missing)
  const untold = root.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'a' }))
  await denied(untold, 'NoSuchEntityException', 404, missing)
  await root.iam.send(new DeleteRoleCommand({ RoleName }))
})

test('managed policies are attached to roles, counted, listed and detached', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, RoleName)
  const arns: string[] = []
  for (let index = 0; index < 11; index += 1) arns.push(await newPolicy(root, `p${index}`))
  const [first = '', ...more] = arns
  const attach = (PolicyArn: string): Promise<unknown> =>
    root.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  await attach(first)
  await attach(first)
  const { Policy } = await root.iam.send(new GetPolicyCommand({ PolicyArn: first }))
  assert.equal(Policy?.AttachmentCount, 1)
  for (const arn of more.slice(0, 9)) await attach(arn)
  const quota = 'Cannot exceed quota for PoliciesPerRole: 10'
  await denied(attach(more[9] ?? ''), 'LimitExceededException', 409, quota)
  const listed = await root.iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 2 }))
  assert.deepEqual([listed.IsTruncated, listed.AttachedPolicies?.length], [true, 2])
  const conflict = 'Cannot delete entity, must detach all policies first.'
  const ended = root.iam.send(new DeleteRoleCommand({ RoleName }))
  await denied(ended, 'DeleteConflictException', 409, conflict)
  const used = root.iam.send(new DeletePolicyCommand({ PolicyArn: first }))
  await denied(used, 'DeleteConflictException', 409, 'Cannot delete a policy attached to entities.')
  const detach = (PolicyArn: string): Promise<unknown> =>
    root.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
  await detach(first)
  await denied(detach(first), 'NoSuchEntityException', 404, `Policy ${first} was not found.`)
  await root.iam.send(new DeletePolicyCommand({ PolicyArn: first }))
})

test('the entities of a policy are its roles and users, in pages', async (t) => {
  const { root } = await openIdentities(t)
  const arn = await newPolicy(root, 'shared')
  const other = await newPolicy(root, 'other')
  for (const name of ['ra', 'rb', 'rc']) await newRole(root, name, { Path: `/${name}/` })
  for (const UserName of ['ua', 'ub']) await root.iam.send(new CreateUserCommand({ UserName }))
  for (const name of ['ra', 'rb']) {
    await root.iam.send(new AttachRolePolicyCommand({ RoleName: name, PolicyArn: arn }))
  }
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'ub', PolicyArn: arn }))
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'ua', PolicyArn: other }))
  const boundary = new PutRolePermissionsBoundaryCommand({
    RoleName: 'rc',
    PermissionsBoundary: arn,
  })
  await root.iam.send(boundary)
  type Asked = Partial<ConstructorParameters<typeof ListEntitiesForPolicyCommand>[0]>
  const names = async (more: Asked = {}): Promise<readonly unknown[]> => {
    const found: unknown[] = []
    let Marker: string | undefined
    do {
      const page = await root.iam.send(
        new ListEntitiesForPolicyCommand({ PolicyArn: arn, ...more, Marker }),
      )
      for (const { RoleName: name } of page.PolicyRoles ?? []) found.push(name)
      for (const { UserName: name } of page.PolicyUsers ?? []) found.push(name)
      Marker = page.Marker
      assert.equal(page.IsTruncated, Marker !== undefined)
    } while (Marker !== undefined)
    return found
  }
  const all = ['ra', 'rb', 'rc', 'ub']
  assert.deepEqual(await names(), all)
  for (const MaxItems of [1, 2, 3]) assert.deepEqual(await names({ MaxItems }), all)
  assert.deepEqual(await names({ EntityFilter: 'Role' }), ['ra', 'rb', 'rc'])
  assert.deepEqual(await names({ EntityFilter: 'User' }), ['ub'])
  assert.deepEqual(await names({ EntityFilter: 'Group' }), [])
  assert.deepEqual(await names({ PathPrefix: '/rb/' }), ['rb'])
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), ['rc'])
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsPolicy' }), ['ra', 'rb', 'ub'])
  const nobody = `arn:aws:iam::${accountId}:policy/nobody`
  const missing = root.iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: nobody }))
  await denied(missing, 'NoSuchEntityException', 404, `Policy ${nobody} was not found.`)
})

test('a boundary of a role is set, counted, returned, replaced and deleted', async (t) => {
  const { root } = await openIdentities(t)
  const one = await newPolicy(root, 'one')
  const two = await newPolicy(root, 'two')
  const made = await newRole(root, RoleName, { PermissionsBoundary: one })
  assert.deepEqual(made.PermissionsBoundary, {
    PermissionsBoundaryType: 'Policy',
    PermissionsBoundaryArn: one,
  })
  const counts = async (): Promise<unknown> => {
    const shown = [one, two].map(async (PolicyArn) => {
      const { Policy } = await root.iam.send(new GetPolicyCommand({ PolicyArn }))
      return Policy?.PermissionsBoundaryUsageCount
    })
    return Promise.all(shown)
  }
  assert.deepEqual(await counts(), [1, 0])
  const put = (PermissionsBoundary: string): Promise<unknown> =>
    root.iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary }))
  const bounding = new ListPoliciesCommand({ PolicyUsageFilter: 'PermissionsBoundary' })
  const { Policies } = await root.iam.send(bounding)
  assert.deepEqual(
    Policies?.map(({ PolicyName }) => PolicyName),
    ['one'],
  )
  await put(one)
  assert.deepEqual(await counts(), [1, 0])
  await put(two)
  assert.deepEqual(await counts(), [0, 1])
  const { Role } = await root.iam.send(new GetRoleCommand({ RoleName }))
  assert.equal(Role?.PermissionsBoundary?.PermissionsBoundaryArn, two)
  const used = root.iam.send(new DeletePolicyCommand({ PolicyArn: two }))
  await denied(used, 'DeleteConflictException', 409, 'Cannot delete a policy attached to entities.')
  const nobody = `arn:aws:iam::${accountId}:policy/nobody`
  const missing = `Scope ARN: ${nobody} does not exist or is not attachable.`
  await denied(put(nobody), 'NoSuchEntityException', 404, missing)
  const unmade = newRole(root, 'unmade', { PermissionsBoundary: nobody })
  await denied(unmade, 'NoSuchEntityException', 404, missing)
  await denied(put('x'.repeat(20)), 'InvalidInputException', 400, /not valid/)
  const take = (): Promise<unknown> =>
    root.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName }))
  await take()
  assert.deepEqual(await counts(), [0, 0])
  const none = 'Role r does not have a permission boundary set.'
  await denied(take(), 'NoSuchEntityException', 404, none)
  await put(one)
  await root.iam.send(new DeleteRoleCommand({ RoleName }))
  assert.deepEqual(await counts(), [0, 0])
  await root.iam.send(new DeletePolicyCommand({ PolicyArn: one }))
})

test('conditions see the boundary that the request sets, or else the one that the role has', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const boundary = await newPolicy(root, 'boundary')
  const wide = await newPolicy(root, 'wide')
  await newRole(root, 'free')
  const ada = await newUser('ada', {
    Action: ['iam:*Role', 'iam:PutRole*'],
    Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } },
  })
  await newRole(ada, RoleName, { PermissionsBoundary: boundary })
  const unbounded = newRole(ada, 'other')
  const refused = new RegExp(`is not authorized to perform: iam:CreateRole on resource`)
  await denied(unbounded, 'AccessDenied', 403, refused)
  const widened = new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: wide })
  const no = notAllowed(ada.arn, 'iam:PutRolePermissionsBoundary', 'role r')
  await denied(ada.iam.send(widened), 'AccessDenied', 403, no)
  const PolicyDocument = documentOf({ Action: '*' })
  const putOn = (name: string): Promise<unknown> => {
    const policy = { RoleName: name, PolicyName: 'p', PolicyDocument }
    return ada.iam.send(new PutRolePolicyCommand(policy))
  }
  await putOn(RoleName)
  const notFree = notAllowed(ada.arn, 'iam:PutRolePolicy', 'role free')
  await denied(putOn('free'), 'AccessDenied', 403, notFree)
  const updated = ada.iam.send(new UpdateRoleCommand({ RoleName, Description: 'x' }))
  await denied(updated, 'AccessDenied', 403, notAllowed(ada.arn, 'iam:UpdateRole', 'role r'))
})
