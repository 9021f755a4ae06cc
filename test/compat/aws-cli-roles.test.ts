/** `aws iam` on roles: made, trusted, given policies and a boundary, linked to a service, and ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

const trust = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'ci',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root`, Service: 'ec2.amazonaws.com' },
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Condition: { StringEquals: { 'sts:ExternalId': 'a&b <c> "d" é %2B+' } },
    },
  ],
}

interface ShownRole {
  readonly Role: {
    readonly Arn: string
    readonly RoleId: string
    readonly AssumeRolePolicyDocument: unknown
    readonly MaxSessionDuration: number
  }
}

test('a role is made, changed, given policies, and ends', { skip }, async (t) => {
  const { json, print, shell, write } = await openWorkplace(t, clients)
  await write('trust.json', JSON.stringify(trust, null, 2))
  const use = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
  }
  await write('use.json', JSON.stringify(use))
  const made = (await json(
    `aws iam create-role --role-name ops --path /a/ --description 'is for "ops" & <ci>' \
      --max-session-duration 7200 --tags Key=team,Value=blue \
      --assume-role-policy-document file://trust.json`,
  )) as ShownRole
  assert.equal(made.Role.Arn, `arn:aws:iam::${accountId}:role/a/ops`)
  assert.deepEqual(made.Role.AssumeRolePolicyDocument, trust)
  const get = (query: string): Promise<unknown> =>
    json(`aws iam get-role --role-name ops --query '${query}'`)
  assert.deepEqual(await get('Role.[RoleId,AssumeRolePolicyDocument,Description,Tags]'), [
    made.Role.RoleId,
    trust,
    'is for "ops" & <ci>',
    [{ Key: 'team', Value: 'blue' }],
  ])
  const listed = await json('aws iam list-roles --query Roles[].RoleName')
  assert.deepEqual(listed, ['ops'])
  const { Policy } = (await json(
    'aws iam create-policy --policy-name use --policy-document file://use.json',
  )) as { readonly Policy: { readonly Arn: string } }
  await print(`
    aws iam put-role-policy --role-name ops --policy-name own --policy-document file://use.json
    aws iam attach-role-policy --role-name ops --policy-arn ${Policy.Arn}
    aws iam put-role-permissions-boundary --role-name ops --permissions-boundary ${Policy.Arn}
    aws iam tag-role --role-name ops --tags Key=Team,Value=red
    aws iam update-role --role-name ops --max-session-duration 3600
    aws iam update-assume-role-policy --role-name ops --policy-document file://trust.json`)
  assert.deepEqual(await json('aws iam list-role-tags --role-name ops --query Tags'), [
    { Key: 'Team', Value: 'red' },
  ])
  const inline = 'aws iam get-role-policy --role-name ops --policy-name own'
  assert.deepEqual(await json(`${inline} --query PolicyDocument`), use)
  const entities = `aws iam list-entities-for-policy --policy-arn ${Policy.Arn}`
  assert.deepEqual(await json(`${entities} --query PolicyRoles[].RoleName`), ['ops'])
  const boundary = 'Role.[PermissionsBoundary.PermissionsBoundaryArn,MaxSessionDuration]'
  assert.deepEqual(await get(boundary), [Policy.Arn, 3600])
  const early = await shell('aws iam delete-role --role-name ops')
  assert.match(early.stderr, /\(DeleteConflict\).*must delete policies first/)
  await print(`
    aws iam delete-role-permissions-boundary --role-name ops
    aws iam detach-role-policy --role-name ops --policy-arn ${Policy.Arn}
    aws iam delete-role-policy --role-name ops --policy-name own
    aws iam untag-role --role-name ops --tag-keys TEAM
    aws iam delete-role --role-name ops
    aws iam delete-policy --policy-arn ${Policy.Arn}`)
  const gone = await shell('aws iam get-role --role-name ops')
  assert.match(gone.stderr, /\(NoSuchEntity\).*The role with name ops cannot be found/)
})

test('a service-linked role is made, protected, and deleted', { skip }, async (t) => {
  const { json, shell } = await openWorkplace(t, clients)
  const service = 'elasticloadbalancing.amazonaws.com'
  const name = 'AWSServiceRoleForElasticLoadBalancing'
  const made = (await json(
    `aws iam create-service-linked-role --aws-service-name ${service}`,
  )) as ShownRole
  assert.equal(made.Role.Arn, `arn:aws:iam::${accountId}:role/aws-service-role/${service}/${name}`)
  const refused = await shell(`aws iam delete-role --role-name ${name}`)
  assert.match(refused.stderr, /\(UnmodifiableEntity\).*only modifiable by AWS/)
  const { DeletionTaskId } = (await json(
    `aws iam delete-service-linked-role --role-name ${name}`,
  )) as { readonly DeletionTaskId: string }
  const status = `aws iam get-service-linked-role-deletion-status --deletion-task-id ${DeletionTaskId}`
  assert.equal(await json(`${status} --query Status`), 'SUCCEEDED')
})
