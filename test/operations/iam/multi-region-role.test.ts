/** The service-linked role of multi-Region keys: created with the first key, kept while the account has any. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateServiceLinkedRoleCommand,
  DeleteServiceLinkedRoleCommand,
  DetachRolePolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  ListAttachedRolePoliciesCommand,
  ListRolesCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { denied, documentOf, openIdentities, type Signed } from '../../compat/identities.ts'
import { arnIn, makePrimary, settled } from '../../compat/multi-region.ts'
import { recordsOf } from '../../compat/records.ts'
import { advance } from '../../compat/test-clock.ts'
import { newRole } from './role-cases.ts'

const RoleName = 'AWSServiceRoleForKeyManagementServiceMultiRegionKeys'
const AWSServiceName = 'mrk.kms.amazonaws.com'
const PolicyName = 'AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy'
const PolicyArn = `arn:aws:iam::aws:policy/aws-service-role/${PolicyName}`
const here = 'us-west-2'
const there = 'eu-north-1'

const roleOf = async ({ iam }: Signed) => (await iam.send(new GetRoleCommand({ RoleName }))).Role

async function deletionOf({ iam }: Signed) {
  const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }))
  const command = new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId })
  const { Status, Reason } = await iam.send(command)
  return { DeletionTaskId: DeletionTaskId ?? '', Status, Reason }
}

test('the first multi-Region key creates the role with its policy, and records that', async (t) => {
  const { root, server, newUser } = await openIdentities(t)
  await root.kms.send(new CreateKeyCommand({}))
  const unknown = `The role with name ${RoleName} cannot be found.`
  await denied(roleOf(root), 'NoSuchEntityException', 404, unknown)
  // The creator of the key needs no permission on the role.
  const user = await newUser('maker', { Action: 'kms:*' })
  const refused = user.kms.send(
    new CreateKeyCommand({ MultiRegion: true, Policy: documentOf({ Action: 'kms:*' }) }),
  )
  await assert.rejects(refused)
  await denied(roleOf(root), 'NoSuchEntityException', 404, unknown)
  await makePrimary(user.kms)
  const role = await roleOf(root)
  assert.equal(role?.Path, `/aws-service-role/${AWSServiceName}/`)
  const trust = JSON.parse(decodeURIComponent(role.AssumeRolePolicyDocument ?? ''))
  assert.deepEqual(trust.Statement[0].Principal, { Service: AWSServiceName })
  const { AttachedPolicies } = await root.iam.send(
    new ListAttachedRolePoliciesCommand({ RoleName }),
  )
  assert.deepEqual(AttachedPolicies, [{ PolicyName, PolicyArn }])
  const version = new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v2' })
  const { PolicyVersion } = await root.iam.send(version)
  assert.deepEqual(JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? '')).Statement, [
    {
      Sid: 'KMSSynchronizeMultiRegionKey',
      Effect: 'Allow',
      Action: ['kms:SynchronizeMultiRegionKey'],
      Resource: '*',
    },
  ])
  await makePrimary(root.kms)
  assert.equal((await roleOf(root))?.RoleId, role.RoleId)
  const taken =
    `Service role name ${RoleName} has been taken in this account, ` +
    'please try a different suffix.'
  const again = root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))
  await denied(again, 'InvalidInputException', 400, taken)
  const made = (await recordsOf(server.directory)).filter(
    ({ eventName, errorCode }) =>
      eventName === 'CreateServiceLinkedRole' && errorCode === undefined,
  )
  assert.deepEqual(
    made.map(({ awsRegion, eventSource, userIdentity, requestParameters, sourceIPAddress }) => [
      awsRegion,
      eventSource,
      [userIdentity['arn'], userIdentity['invokedBy'], sourceIPAddress],
      requestParameters,
    ]),
    [
      [
        'us-east-1',
        'iam.amazonaws.com',
        [user.arn, 'kms.amazonaws.com', 'kms.amazonaws.com'],
        { aWSServiceName: AWSServiceName },
      ],
    ],
  )
  assert.equal('resources' in (made[0] ?? {}), false)
})

test('its deletion fails while the account has multi-Region keys, and names them', async (t) => {
  const { root, server, newUser } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const KeyId = await makePrimary(root.kms)
  await root.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: there }))
  const inOther = server.client({ region: there })
  await settled(inOther, KeyId)
  const failed = await deletionOf(root)
  const reason = {
    Reason: 'Account owns one or more multi-Region keys',
    RoleUsageList: [there, here].map((Region) => ({ Region, Resources: [arnIn(Region, KeyId)] })),
  }
  assert.deepEqual([failed.Status, failed.Reason], ['FAILED', reason])
  const start = `task/aws-service-role/${AWSServiceName}/${RoleName}/`
  assert(failed.DeletionTaskId.startsWith(start))
  const uuid = failed.DeletionTaskId.slice(start.length)
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.notEqual((await deletionOf(root)).DeletionTaskId, failed.DeletionTaskId)
  assert.equal((await roleOf(root))?.RoleName, RoleName)
  // An id with one changed digit is unknown.
  const digit = uuid[30] === '0' ? '1' : '0'
  const forged = `${start}${uuid.slice(0, 30)}${digit}${uuid.slice(31)}`
  const status = new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: forged })
  await denied(root.iam.send(status), 'NoSuchEntityException', 404, /cannot be found/)
  // A caller without permission learns nothing about the keys.
  const nobody = await newUser('nobody')
  const asked = new GetServiceLinkedRoleDeletionStatusCommand(failed)
  await denied(nobody.iam.send(asked), 'AccessDenied', 403, /GetServiceLinkedRoleDeletionStatus/)
  // Keys that are pending deletion still count.
  await inOther.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await root.kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  assert.equal((await deletionOf(root)).Status, 'FAILED')
  await advance(server.url, '8d')
  await advance(server.url, '8d')
  assert.deepEqual([(await deletionOf(root)).Status], ['SUCCEEDED'])
  assert.deepEqual((await root.iam.send(new ListRolesCommand({}))).Roles, [])
  await makePrimary(root.kms)
  assert.equal((await roleOf(root))?.RoleName, RoleName)
})

test('the policy of the role cannot be attached to other identities, nor detached from the role', async (t) => {
  const { root, newUser } = await openIdentities(t)
  await root.iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName }))
  const { AttachedPolicies } = await root.iam.send(
    new ListAttachedRolePoliciesCommand({ RoleName }),
  )
  assert.deepEqual(AttachedPolicies, [{ PolicyName, PolicyArn }])
  await newUser('ada')
  await newRole(root, 'plain')
  const message = 'Cannot attach a Service Role Policy to a Customer Role.'
  const attaching = [
    root.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn })),
    root.iam.send(new AttachRolePolicyCommand({ RoleName: 'plain', PolicyArn })),
  ]
  const refused = attaching.map((each) =>
    denied(each, 'PolicyNotAttachableException', 400, message),
  )
  await Promise.all(refused)
  const detach = root.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
  await denied(detach, 'UnmodifiableEntityException', 400, /only modifiable by AWS/)
})

test('multi-Region keys are created even if a role has the name in another case', async (t) => {
  const { root } = await openIdentities(t)
  await newRole(root, RoleName.toUpperCase())
  const KeyId = await makePrimary(root.kms)
  assert(KeyId.startsWith('mrk-'))
})
