/** `aws iam` and `aws sts` on all that users, groups, policies and sessions are made of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

const documentOf = (Action: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action, Resource: '*' },
  })
const policyArn = `arn:aws:iam::${accountId}:policy/edge`

test('a managed policy, its versions and its tags', { skip }, async (t) => {
  const { json, print, write } = await openWorkplace(t, clients)
  await write('one.json', documentOf('kms:*'))
  await write('two.json', documentOf('kms:List*'))
  await print(`
    aws iam create-policy --policy-name edge --policy-document file://one.json --tags Key=a,Value=1
    aws iam create-policy-version --policy-arn ${policyArn} --policy-document file://two.json
    aws iam set-default-policy-version --policy-arn ${policyArn} --version-id v2
    aws iam tag-policy --policy-arn ${policyArn} --tags Key=b,Value=2
    aws iam untag-policy --policy-arn ${policyArn} --tag-keys a`)
  const of = (command: string, query: string): Promise<unknown> =>
    json(`aws iam ${command} --policy-arn ${policyArn} --query '${query}'`)
  assert.equal(await of('get-policy', 'Policy.DefaultVersionId'), 'v2')
  assert.deepEqual(await of('list-policy-tags', 'Tags'), [{ Key: 'b', Value: '2' }])
  assert.deepEqual(await of('list-policy-versions', 'Versions[].VersionId'), ['v2', 'v1'])
  const document = await of('get-policy-version --version-id v2', 'PolicyVersion.Document')
  assert.deepEqual(document, JSON.parse(documentOf('kms:List*')))
  await print(`aws iam delete-policy-version --policy-arn ${policyArn} --version-id v1`)
  const local = await json('aws iam list-policies --scope Local --query Policies[].PolicyName')
  assert.deepEqual(local, ['edge'])
  const simulated = await json(
    `aws iam simulate-custom-policy --policy-input-list "$(cat two.json)" \
      --action-names kms:ListKeys kms:Encrypt --query EvaluationResults[].EvalDecision`,
  )
  assert.deepEqual(simulated, ['allowed', 'implicitDeny'])
  const keys = await json(
    'aws iam get-context-keys-for-custom-policy --policy-input-list "$(cat one.json)"',
  )
  assert.deepEqual(keys, { ContextKeyNames: [] })
})

test(
  'a user with a boundary, tags, keys and a simulation; the alias of the account',
  { skip },
  async (t) => {
    const { json, print, write } = await openWorkplace(t, clients)
    await write('one.json', documentOf('kms:*'))
    await print(`
    aws iam create-policy --policy-name edge --policy-document file://one.json
    aws iam create-user --user-name eda
    aws iam update-user --user-name eda --new-user-name ada
    aws iam put-user-permissions-boundary --user-name ada --permissions-boundary ${policyArn}
    aws iam attach-user-policy --user-name ada --policy-arn ${policyArn}
    aws iam tag-user --user-name ada --tags Key=team,Value=blue Key=gone,Value=
    aws iam untag-user --user-name ada --tag-keys gone`)
    const ada = (command: string, query: string): Promise<unknown> =>
      json(`aws iam ${command} --user-name ada --query '${query}'`)
    assert.deepEqual(await ada('list-user-tags', 'Tags'), [{ Key: 'team', Value: 'blue' }])
    const attached = await ada('list-attached-user-policies', 'AttachedPolicies[].PolicyName')
    assert.deepEqual(attached, ['edge'])
    assert.deepEqual(await ada('list-user-policies', 'PolicyNames'), [])
    const arn = `arn:aws:iam::${accountId}:user/ada`
    const simulated = await json(
      `aws iam simulate-principal-policy --policy-source-arn ${arn} --action-names kms:Encrypt \
      --query EvaluationResults[].[EvalDecision,PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary]`,
    )
    assert.deepEqual(simulated, [['allowed', true]])
    const keys = await json(
      `aws iam get-context-keys-for-principal-policy --policy-source-arn ${arn}`,
    )
    assert.deepEqual(keys, { ContextKeyNames: [] })
    const made = await ada('create-access-key', 'AccessKey.AccessKeyId')
    assert.deepEqual(await ada('list-access-keys', 'AccessKeyMetadata[].AccessKeyId'), [made])
    const used = `aws iam get-access-key-last-used --access-key-id ${String(made)}`
    assert.equal(await json(`${used} --query AccessKeyLastUsed.ServiceName`), 'N/A')
    await print(`
    aws iam delete-user-permissions-boundary --user-name ada
    aws iam create-account-alias --account-alias our-lab`)
    assert.deepEqual(await json('aws iam list-account-aliases --query AccountAliases'), ['our-lab'])
    await print('aws iam delete-account-alias --account-alias our-lab')
  },
)

test('a group, its policies and its users', { skip }, async (t) => {
  const { json, print, write } = await openWorkplace(t, clients)
  await write('one.json', documentOf('kms:*'))
  await print(`
    aws iam create-policy --policy-name edge --policy-document file://one.json
    aws iam create-group --group-name ops
    aws iam create-user --user-name ada
    aws iam add-user-to-group --group-name ops --user-name ada
    aws iam put-group-policy --group-name ops --policy-name own --policy-document file://one.json
    aws iam attach-group-policy --group-name ops --policy-arn ${policyArn}`)
  const ops = (command: string, query: string): Promise<unknown> =>
    json(`aws iam ${command} --group-name ops --query '${query}'`)
  assert.deepEqual(await ops('get-group', 'Users[].UserName'), ['ada'])
  assert.deepEqual(await ops('list-group-policies', 'PolicyNames'), ['own'])
  const own = await ops('get-group-policy --policy-name own', 'PolicyDocument')
  assert.deepEqual(own, JSON.parse(documentOf('kms:*')))
  const attached = await ops('list-attached-group-policies', 'AttachedPolicies[].PolicyName')
  assert.deepEqual(attached, ['edge'])
  const groups = await json(
    'aws iam list-groups-for-user --user-name ada --query Groups[].GroupName',
  )
  assert.deepEqual(groups, ['ops'])
  await print(`
    aws iam detach-group-policy --group-name ops --policy-arn ${policyArn}
    aws iam delete-group-policy --group-name ops --policy-name own
    aws iam remove-user-from-group --group-name ops --user-name ada
    aws iam update-group --group-name ops --new-group-name ops-2`)
  assert.deepEqual(await json('aws iam list-groups --query Groups[].GroupName'), ['ops-2'])
  await print('aws iam delete-group --group-name ops-2')
})

test('temporary credentials, by profile and by hand', { skip }, async (t) => {
  const { json, print, shell, write } = await openWorkplace(t, clients)
  await write('sts.json', documentOf('sts:*'))
  await write('kms.json', documentOf('kms:*'))
  const trust = {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:user/ada` },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'handshake' } },
    },
  }
  await write('trust.json', JSON.stringify(trust))
  await print(`
    aws iam create-user --user-name ada
    aws iam put-user-policy --user-name ada --policy-name own --policy-document file://sts.json
    aws iam create-role --role-name ops --assume-role-policy-document file://trust.json
    aws iam put-role-policy --role-name ops --policy-name own --policy-document file://kms.json
    aws iam update-role-description --role-name ops --description 'for ada'`)
  assert.deepEqual(await json('aws iam list-role-policies --role-name ops --query PolicyNames'), [
    'own',
  ])
  const none = 'aws iam list-attached-role-policies --role-name ops --query AttachedPolicies'
  assert.deepEqual(await json(none), [])
  const profiles = 'aws iam list-instance-profiles-for-role --role-name ops'
  assert.deepEqual(await json(profiles), { InstanceProfiles: [] })
  const { AccessKey } = (await json('aws iam create-access-key --user-name ada')) as {
    readonly AccessKey: { readonly AccessKeyId: string; readonly SecretAccessKey: string }
  }
  const role = `arn:aws:iam::${accountId}:role/ops`
  const { AccessKeyId, SecretAccessKey } = AccessKey
  await write(
    'profiles',
    `[ada]\naws_access_key_id = ${AccessKeyId}\naws_secret_access_key = ${SecretAccessKey}\n`,
  )
  const settings = 'source_profile = ada\nrole_session_name = cli\nexternal_id = handshake'
  await write('config', `[profile ada]\n[profile ops]\nrole_arn = ${role}\n${settings}\n`)
  const config = 'export AWS_CONFIG_FILE=config AWS_SHARED_CREDENTIALS_FILE=profiles'
  const { stdout, stderr, status } = await shell(`
    ${config}
    aws --profile ops kms create-key --query KeyMetadata.KeyState --output text
    aws --profile ops sts get-caller-identity --query Arn --output text
    aws --profile ada sts get-session-token --duration-seconds 900 --query Credentials.AccessKeyId --output text
    aws --profile ada sts get-federation-token --name guest --query FederatedUser.Arn --output text
    aws --profile ada sts assume-role --role-arn ${role} --role-session-name hand \
      --external-id handshake --query AssumedRoleUser.Arn --output text
    aws --profile ada sts get-access-key-info --access-key-id ${AccessKey.AccessKeyId} --output text`)
  assert.equal(status, 0, stderr)
  const sts = `arn:aws:sts::${accountId}`
  assert.match(
    stdout,
    new RegExp(
      `^Enabled\n${sts}:assumed-role/ops/cli\nASIA[A-Z2-7]{16}\n${sts}:federated-user/guest\n` +
        `${sts}:assumed-role/ops/hand\n${accountId}\n$`,
    ),
  )
  const refused = await shell(`
    ${config}
    aws --profile ada sts assume-role --role-arn ${role} --role-session-name hand`)
  assert.match(refused.stderr, /\(AccessDenied\) when calling the AssumeRole operation/)
})
