/**
 * The AWS CLI's key policy commands, with the policies that AWS's developer guides of 2015 and of today
 * print. Their users and roles are nobody here, and AWS refuses a policy that names nobody: each such
 * policy is refused as printed, and works with a principal that exists.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateAliasCommand } from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const root = `arn:aws:iam::${accountId}:root`
const arnOf = (keyId: string): string => `arn:aws:kms:us-west-2:${accountId}:key/${keyId}`

type Statement = Readonly<Record<string, unknown>>

const enableIam: Statement = {
  Sid: 'Enable IAM User Permissions',
  Effect: 'Allow',
  Principal: { AWS: root },
  Action: 'kms:*',
  Resource: '*',
}

/** Today's guide, "Changing a key policy", with the list of actions that it gives an administrator. */
const administrators = (principal: string): Statement => ({
  Sid: 'Allow access for Key Administrators',
  Effect: 'Allow',
  Principal: { AWS: principal },
  Action: [
    'kms:Create*',
    'kms:Describe*',
    'kms:Enable*',
    'kms:List*',
    'kms:Put*',
    'kms:Update*',
    'kms:Revoke*',
    'kms:Disable*',
    'kms:Get*',
    'kms:Delete*',
    'kms:ScheduleKeyDeletion',
    'kms:CancelKeyDeletion',
  ],
  Resource: '*',
})

const users = (principals: string | readonly string[]): Statement => ({
  Sid: 'Allow use of the key',
  Effect: 'Allow',
  Principal: { AWS: principals },
  Action: [
    'kms:Encrypt',
    'kms:Decrypt',
    // The guide of 2015 prints `kms:ReEncrypt`, which names no action: there are ReEncryptFrom and -To.
    'kms:ReEncrypt*',
    'kms:GenerateDataKey*',
    'kms:DescribeKey',
  ],
  Resource: '*',
})

const attachment = (principals: string | readonly string[]): Statement => ({
  Sid: 'Allow attachment of persistent resources',
  Effect: 'Allow',
  Principal: { AWS: principals },
  Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
  Resource: '*',
  // The guide prints "Bool " and "true " with a space in one of its two copies.
  Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
})

const policy = (id: string, ...statements: readonly Statement[]): string =>
  // The guide of 2015 prints its policies without the braces between statements.
  JSON.stringify({ Id: id, Version: '2012-10-17', Statement: statements }, undefined, 2)

const put = (key: string, file: string, ...more: readonly string[]): string =>
  ['aws kms put-key-policy --policy-name default', `--key-id ${key}`, `--policy file://${file}`]
    .concat(more)
    .join(' ')

const malformed = (text: string): string =>
  `An error occurred (MalformedPolicyDocumentException) when calling the PutKeyPolicy operation: ${text}`
const invalidPrincipals = malformed(
  'Policy contains a statement with one or more invalid principals.',
)

test(
  'guide: get-key-policy prints the default policy, list-key-policies its name',
  { skip },
  async (t) => {
    const { newKey, json, print, shell } = await openWorkplace(t, clients)
    const key = await newKey()
    // The policy is the answer's first column; since the guide was written AWS sends its name after it.
    const printed = await print(
      `aws kms get-key-policy --key-id ${key} --policy-name default --output text`,
    )
    const [text = '', name] = printed.split('\t')
    assert.equal(name, 'default\n')
    assert.equal(
      text,
      `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`,
    )
    assert.deepEqual(await json(`aws kms list-key-policies --key-id ${key}`), {
      PolicyNames: ['default'],
    })
    const other = await shell(`aws kms get-key-policy --key-id ${key} --policy-name mine`)
    assert.equal(other.status, 255)
    assert.match(
      other.stderr,
      /An error occurred \(NotFoundException\) when calling the GetKeyPolicy operation: /,
    )
  },
)

test('guide: put-key-policy adds an administrator, who must exist', { skip }, async (t) => {
  const { newKey, json, print, shell, write } = await openWorkplace(t, clients)
  const key = await newKey()
  await write(
    'guide.json',
    policy(
      'key-default-1',
      enableIam,
      administrators(`arn:aws:iam::${accountId}:user/KMSKeyAdmin`),
    ),
  )
  const refused = await shell(put(key, 'guide.json'))
  assert.deepEqual([refused.status, refused.stderr.trim()], [255, invalidPrincipals])

  const written = policy('key-default-1', enableIam, administrators(root))
  await write('here.json', written)
  assert.equal(await print(put(key, 'here.json')), '')
  const stored = await json(`aws kms get-key-policy --key-id ${key} --policy-name default`)
  assert.deepEqual(stored, { Policy: written, PolicyName: 'default' })
})

test('guide of 2015: the console policy and its external account', { skip }, async (t) => {
  const { newKey, print, shell, write } = await openWorkplace(t, clients)
  const key = await newKey()
  const alice = `arn:aws:iam::${accountId}:user/Alice`
  const external = 'arn:aws:iam::109876543210:root'
  const id = 'key-consolepolicy-1'
  const people = (...principals: readonly string[]): string =>
    policy(
      id,
      enableIam,
      administrators(principals[0] ?? ''),
      users(principals),
      attachment(principals),
    )
  await write('alice.json', people(alice))
  await write('external.json', people(root, external))
  // The short form of an account, which the guide prints in its second policy.
  await write('here.json', people(root, accountId))
  for (const file of ['alice.json', 'external.json']) {
    const { status, stderr } = await shell(put(key, file))
    assert.deepEqual([file, status, stderr.trim()], [file, 255, invalidPrincipals])
  }
  assert.equal(await print(put(key, 'here.json')), '')
  const blob = await print(
    `aws kms encrypt --key-id ${key} --plaintext hello --query CiphertextBlob --output text`,
  )
  assert.match(blob, /^AQICAH/)
})

test(
  'guide: a policy opens a key to the aliases that match, and to no other name',
  { skip },
  async (t) => {
    const { newKey, client, print, json, shell, write } = await openWorkplace(t, clients)
    const key = await newKey()
    for (const name of ['alias/project-alpha', 'alias/project-beta']) {
      await client.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: key }))
    }
    const alpha = (principal: string): Statement => ({
      Sid: 'Key policy using a request alias condition',
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      Resource: '*',
      Condition: { StringLike: { 'kms:RequestAlias': 'alias/*alpha*' } },
    })
    const keeper = { ...enableIam, Sid: 'Keep the policy', Action: 'kms:*KeyPolicy' }
    await write(
      'guide.json',
      policy('alpha', keeper, alpha(`arn:aws:iam::${accountId}:role/alpha-developer`)),
    )
    await write('here.json', policy('alpha', keeper, alpha(root)))
    const refused = await shell(put(key, 'guide.json'))
    assert.deepEqual([refused.status, refused.stderr.trim()], [255, invalidPrincipals])
    await print(put(key, 'here.json'))

    const aliasArn = `arn:aws:kms:us-west-2:${accountId}:alias/project-alpha`
    assert.equal(
      await json(`aws kms describe-key --key-id "${aliasArn}" --query KeyMetadata.KeyId`),
      key,
    )
    const byAlias = await json(
      'aws kms generate-data-key --key-id alias/project-alpha --key-spec AES_256 --query KeyId',
    )
    assert.equal(byAlias, arnOf(key))
    for (const name of ['alias/project-beta', key]) {
      const { status, stderr } = await shell(`aws kms describe-key --key-id ${name}`)
      assert.equal(status, 255)
      assert.match(
        stderr,
        /An error occurred \(AccessDeniedException\) when calling the DescribeKey operation: User: arn:aws:iam::111122223333:root is not authorized to perform: kms:DescribeKey on resource: /,
      )
    }
  },
)

test('guide: a policy says who may tag a key and who may only look', { skip }, async (t) => {
  const { newKey, print, json, shell, write } = await openWorkplace(t, clients)
  const key = await newKey({ Tags: [{ TagKey: 'Project', TagValue: 'Alpha' }] })
  const tagging = (principals: readonly string[]): Statement => ({
    Sid: 'Allow all tagging permissions',
    Effect: 'Allow',
    Principal: { AWS: principals },
    Action: ['kms:TagResource', 'kms:ListResourceTags', 'kms:UntagResource'],
    Resource: '*',
  })
  const viewing = (principals: readonly string[]): Statement => ({
    Sid: 'Allow roles to view tags',
    Effect: 'Allow',
    Principal: { AWS: principals },
    Action: 'kms:ListResourceTags',
    Resource: '*',
  })
  const named = (kind: string, ...names: readonly string[]): readonly string[] =>
    names.map((name) => `arn:aws:iam::${accountId}:${kind}/${name}`)
  const keeper = { ...enableIam, Sid: 'Keep the policy', Action: 'kms:*KeyPolicy' }
  const id = 'example-key-policy'
  const ofGuide = [
    tagging(named('user', 'LeadAdmin', 'SupportLead')),
    viewing(named('role', 'Administrator', 'Developer')),
  ]
  await write('guide.json', policy(id, enableIam, ...ofGuide))
  await write('look.json', policy(id, keeper, viewing([root])))
  await write('tag.json', policy(id, keeper, tagging([root])))
  const refused = await shell(put(key, 'guide.json'))
  assert.deepEqual([refused.status, refused.stderr.trim()], [255, invalidPrincipals])

  const untag = `aws kms untag-resource --key-id ${key} --tag-keys Project`
  const list = `aws kms list-resource-tags --key-id ${key} --query 'Tags[*].TagKey'`
  await print(put(key, 'look.json'))
  const looking = await shell(untag)
  assert.equal(looking.status, 255)
  assert.match(
    looking.stderr,
    /\(AccessDeniedException\) when calling the UntagResource operation: /,
  )
  assert.deepEqual(await json(list), ['Project'])
  await print(put(key, 'tag.json'))
  assert.deepEqual(await json(`${untag}; ${list}`), [])
})

test('put-key-policy refuses what locks its writer out, unless told to', { skip }, async (t) => {
  const { newKey, print, shell, write } = await openWorkplace(t, clients)
  const key = await newKey()
  await write('readers.json', policy('readers', { ...enableIam, Action: 'kms:DescribeKey' }))
  await write('broken.json', '{"Version": "2012-10-17", "Statement": [')
  const lockedOut = await shell(put(key, 'readers.json'))
  assert.deepEqual(
    [lockedOut.status, lockedOut.stderr.trim()],
    [
      255,
      malformed('The new key policy will not allow you to update the key policy in the future.'),
    ],
  )
  const broken = await shell(put(key, 'broken.json'))
  assert.equal(broken.status, 255)
  assert.match(broken.stderr, /\(MalformedPolicyDocumentException\)/)

  await print(put(key, 'readers.json', '--bypass-policy-lockout-safety-check'))
  const gone = await shell(`aws kms disable-key --key-id ${key}`)
  assert.equal(gone.status, 255)
  assert.match(gone.stderr, /\(AccessDeniedException\) when calling the DisableKey operation: /)
})
