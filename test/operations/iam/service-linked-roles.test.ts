/** Service-linked roles: their name, path and trust are AWS's, and only their own operations change them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachRolePolicyCommand,
  CreateServiceLinkedRoleCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DeleteServiceLinkedRoleCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
} from '@aws-sdk/client-iam'
import { denied, documentOf, openIdentities } from '../../compat/identities.ts'
import { accountId } from '../../harness.ts'
import { newRole, roleArnOf, trustOf } from './role-cases.ts'

const AWSServiceName = 'autoscaling.amazonaws.com'
const RoleName = 'AWSServiceRoleForAutoScaling'

test('a service-linked role has the name, path and trust policy of its service', async (t) => {
  const { root } = await openIdentities(t)
  const create = (more: object = {}): Promise<{ readonly Role?: { readonly Arn?: string } }> =>
    root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName, ...more })) as Promise<{
      readonly Role?: { readonly Arn?: string }
    }>
  const { Role } = await create({ Description: 'scales' })
  assert.equal(Role?.Arn, roleArnOf(`aws-service-role/${AWSServiceName}/${RoleName}`))
  const shown = await root.iam.send(new GetRoleCommand({ RoleName }))
  assert.equal(shown.Role?.Description, 'scales')
  const trust = JSON.parse(decodeURIComponent(shown.Role.AssumeRolePolicyDocument ?? ''))
  assert.deepEqual(trust.Statement[0].Principal, { Service: AWSServiceName })
  const taken =
    `Service role name ${RoleName} has been taken in this account, ` +
    'please try a different suffix.'
  await denied(create(), 'InvalidInputException', 400, taken)
  const suffixed = await create({ CustomSuffix: 'blue' })
  assert.match(suffixed.Role?.Arn ?? '', /\/AWSServiceRoleForAutoScaling_blue$/)
  await denied(create({ CustomSuffix: 'a/b' }), 'ValidationError', 400, /'customSuffix' failed/)
  await denied(create({ CustomSuffix: 'x'.repeat(40) }), 'InvalidInputException', 400, /too long/)
  const ecs = { AWSServiceName: 'ecs.amazonaws.com', CustomSuffix: 'a' }
  const unsuffixed = 'Custom suffix is not allowed for ecs.amazonaws.com'
  await denied(create(ecs), 'InvalidInputException', 400, unsuffixed)
  const nobody = create({ AWSServiceName: '__proto__' })
  await denied(nobody, 'InvalidInputException', 400, /has no service-linked role/)
})

test('operations on ordinary roles cannot change a service-linked role', async (t) => {
  const { root } = await openIdentities(t)
  await root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))
  const PolicyArn = `arn:aws:iam::${accountId}:policy/p`
  const PolicyDocument = documentOf({ Action: '*' })
  const changes = [
    root.iam.send(new DeleteRoleCommand({ RoleName })),
    root.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument })),
    root.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' })),
    root.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn })),
    root.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn })),
    root.iam.send(
      new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: PolicyArn }),
    ),
    root.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName })),
    root.iam.send(new UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 })),
    root.iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName,
        PolicyDocument: trustOf({ AWS: accountId }),
      }),
    ),
  ]
  const protectedRole =
    `Cannot perform the operation on the protected role '${RoleName}' - ` +
    'this role is only modifiable by AWS'
  await Promise.all(
    changes.map((change) => denied(change, 'UnmodifiableEntityException', 400, protectedRole)),
  )
  await root.iam.send(new UpdateRoleCommand({ RoleName, Description: 'mine' }))
  await root.iam.send(new UpdateRoleDescriptionCommand({ RoleName, Description: 'mine too' }))
  await root.iam.send(new TagRoleCommand({ RoleName, Tags: [{ Key: 'a', Value: 'b' }] }))
  const { Role } = await root.iam.send(new GetRoleCommand({ RoleName }))
  assert.deepEqual([Role?.Description, Role?.Tags], ['mine too', [{ Key: 'a', Value: 'b' }]])
})

test('the deletion of a service-linked role is a task that has ended', async (t) => {
  const { root } = await openIdentities(t)
  await root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))
  await newRole(root, 'plain')
  const remove = (name: string): Promise<{ readonly DeletionTaskId?: string | undefined }> =>
    root.iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: name }))
  await denied(remove('plain'), 'NoSuchEntityException', 404, /not service-linked/)
  const { DeletionTaskId = '' } = await remove(RoleName)
  const start = `task/aws-service-role/${AWSServiceName}/${RoleName}/`
  assert.ok(DeletionTaskId.startsWith(start), DeletionTaskId)
  const statusOf = (id: string): Promise<{ readonly Status?: string | undefined }> =>
    root.iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: id }))
  assert.equal((await statusOf(DeletionTaskId)).Status, 'SUCCEEDED')
  const gone = `The role with name ${RoleName} cannot be found.`
  await denied(remove(RoleName), 'NoSuchEntityException', 404, gone)
  const otherRole = DeletionTaskId.replace(RoleName, 'plain')
  await denied(statusOf(otherRole), 'NoSuchEntityException', 404, /cannot be found/)
  const forged = `${start}00000000-0000-4000-8000-000000000000`
  await denied(statusOf(forged), 'NoSuchEntityException', 404, /cannot be found/)
  await denied(statusOf('task/x'), 'InvalidInputException', 400, /deletion task/)
})
