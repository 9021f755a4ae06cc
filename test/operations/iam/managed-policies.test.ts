/** Managed policies through the official SDK: versions, attachments, and the permissions that they give. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeleteAccessKeyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListAttachedUserPoliciesCommand,
  ListPoliciesCommand,
  ListPolicyVersionsCommand,
  SetDefaultPolicyVersionCommand,
  type ListPoliciesCommandInput,
} from '@aws-sdk/client-iam'
import { EncryptCommand } from '@aws-sdk/client-kms'
import {
  denied,
  documentOf,
  notAllowed,
  openIdentities,
  type Signed,
} from '../../compat/identities.ts'
import { makeKey } from '../../compat/sdk.ts'
import { accountId } from '../../harness.ts'

const arnOf = (pathAndName: string): string => `arn:aws:iam::${accountId}:policy/${pathAndName}`

async function newPolicy(by: Signed, PolicyName: string, statement: object, Path?: string) {
  const PolicyDocument = documentOf(statement)
  const { Policy } = await by.iam.send(
    new CreatePolicyCommand({ PolicyName, PolicyDocument, Path, Description: 'what <it> gives' }),
  )
  assert(Policy?.Arn)
  return Policy.Arn
}

const encrypt = ({ kms }: Signed, KeyId: string): Promise<unknown> =>
  kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))

test('an attached policy and its default version apply from the next call on', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const { keyId, arn } = await makeKey(root.kms)
  const ada = await newUser('ada')
  const PolicyArn = await newPolicy(root, 'use', { Action: 'kms:Encrypt' }, '/keys/')
  assert.equal(PolicyArn, arnOf('keys/use'))
  const refusal = notAllowed(ada.arn, 'kms:Encrypt', arn)
  const refused = (): Promise<void> =>
    denied(encrypt(ada, keyId), 'AccessDeniedException', 400, refusal)
  await refused()
  const named = { UserName: 'ada', PolicyArn }
  await root.iam.send(new AttachUserPolicyCommand(named))
  await root.iam.send(new AttachUserPolicyCommand(named))
  await encrypt(ada, keyId)
  const PolicyDocument = documentOf({ Action: 'kms:Decrypt' })
  const version = await root.iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }))
  assert.deepEqual(
    [version.PolicyVersion?.VersionId, version.PolicyVersion?.IsDefaultVersion],
    ['v2', false],
  )
  await encrypt(ada, keyId)
  const hold = (VersionId: string): Promise<unknown> =>
    root.iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId }))
  await hold('v2')
  await refused()
  await hold('v1')
  await encrypt(ada, keyId)
  await root.iam.send(new DetachUserPolicyCommand(named))
  await refused()
  const again = root.iam.send(new DetachUserPolicyCommand(named))
  await denied(again, 'NoSuchEntityException', 404, `Policy ${PolicyArn} was not found.`)
})

test('a policy is returned, listed, and deleted only once no identity has it', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const ada = await newUser('ada')
  const PolicyArn = await newPolicy(root, 'use', { Action: 'kms:*' })
  await newPolicy(root, 'other', { Action: 'kms:*' }, '/x/')
  await root.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn }))
  const { Policy } = await root.iam.send(new GetPolicyCommand({ PolicyArn }))
  assert.match(Policy?.PolicyId ?? '', /^ANPA[A-Z2-7]{17}$/)
  assert.deepEqual(
    [Policy?.Arn, Policy?.AttachmentCount, Policy?.DefaultVersionId, Policy?.Description],
    [PolicyArn, 1, 'v1', 'what <it> gives'],
  )
  const names = async (input: ListPoliciesCommandInput): Promise<unknown> =>
    (await root.iam.send(new ListPoliciesCommand(input))).Policies?.map((each) => each.PolicyName)
  assert.deepEqual(await names({ Scope: 'Local' }), ['other', 'use'])
  assert.deepEqual(await names({ OnlyAttached: true }), ['use'])
  assert.deepEqual(await names({ PathPrefix: '/x/' }), ['other'])
  assert.deepEqual(await names({ Scope: 'AWS', OnlyAttached: true }), [])
  const attached = await root.iam.send(new ListAttachedUserPoliciesCommand({ UserName: 'ada' }))
  assert.deepEqual(attached.AttachedPolicies, [{ PolicyName: 'use', PolicyArn }])
  const end = (): Promise<unknown> => root.iam.send(new DeletePolicyCommand({ PolicyArn }))
  const inUse = 'Cannot delete a policy attached to entities.'
  await denied(end(), 'DeleteConflictException', 409, inUse)
  const { accessKeyId: AccessKeyId } = ada.credentials
  await root.iam.send(new DeleteAccessKeyCommand({ UserName: 'ada', AccessKeyId }))
  const deleteAda = (): Promise<unknown> =>
    root.iam.send(new DeleteUserCommand({ UserName: 'ada' }))
  const detach = 'Cannot delete entity, must detach all policies first.'
  await denied(deleteAda(), 'DeleteConflictException', 409, detach)
  await root.iam.send(new DetachUserPolicyCommand({ UserName: 'ada', PolicyArn }))
  await deleteAda()
  await end()
  const gone = root.iam.send(new GetPolicyCommand({ PolicyArn }))
  await denied(gone, 'NoSuchEntityException', 404, `Policy ${PolicyArn} was not found.`)
})

test('a policy has five versions at most, and its default version cannot be deleted', async (t) => {
  const { root } = await openIdentities(t)
  const PolicyArn = await newPolicy(root, 'use', { Action: 'kms:v1' })
  const add = (version: number): Promise<unknown> => {
    const PolicyDocument = documentOf({ Action: `kms:v${version}` })
    return root.iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument }))
  }
  for (const version of [2, 3, 4, 5]) await add(version)
  await denied(add(6), 'LimitExceededException', 409, /up to 5 versions/)
  const remove = (VersionId: string): Promise<unknown> =>
    root.iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
  const kept = 'Cannot delete the default version of a policy.'
  await denied(remove('v1'), 'DeleteConflictException', 409, kept)
  await remove('v5')
  await denied(remove('v5'), 'NoSuchEntityException', 404, /version v5 does not exist/)
  await add(6)
  const { Versions } = await root.iam.send(new ListPolicyVersionsCommand({ PolicyArn }))
  assert.deepEqual(
    Versions?.map(({ VersionId, IsDefaultVersion }) => `${VersionId} ${IsDefaultVersion}`),
    ['v6 false', 'v4 false', 'v3 false', 'v2 false', 'v1 true'],
  )
  const one = await root.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v4' }))
  const document = decodeURIComponent(one.PolicyVersion?.Document ?? '')
  assert.equal(document, documentOf({ Action: 'kms:v4' }))
  const end = root.iam.send(new DeletePolicyCommand({ PolicyArn }))
  await denied(end, 'DeleteConflictException', 409, /more than one version/)
})

test('malformed policies and ARNs and policies that are too large are refused', async (t) => {
  const { root, newUser } = await openIdentities(t)
  await newUser('ada')
  await newPolicy(root, 'use', { Action: 'kms:*' })
  const taken = 'A policy called USE already exists. Duplicate names are not allowed.'
  await denied(
    newPolicy(root, 'USE', { Action: 'kms:*' }),
    'EntityAlreadyExistsException',
    409,
    taken,
  )
  const large = { Action: Array.from({ length: 600 }, (_, index) => `kms:action${index}`) }
  const size = 'Cannot exceed quota for PolicySize: 6144'
  await denied(newPolicy(root, 'large', large), 'LimitExceededException', 409, size)
  await denied(
    newPolicy(root, 'none', { Effect: 'Maybe' }),
    'MalformedPolicyDocumentException',
    400,
    /Effect/,
  )
  for (const PolicyArn of [
    'arn:aws:iam::aws:policy/use',
    'arn:aws:iam::aws:policy/administratorAccess',
    'arn:aws:iam::444455556666:policy/use',
    `arn:aws-cn:iam::${accountId}:policy/use`,
    arnOf('Use'),
    arnOf('x/use'),
  ]) {
    const attach = root.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn }))
    await denied(attach, 'NoSuchEntityException', 404, `Policy ${PolicyArn} was not found.`)
  }
  const wrong = root.iam.send(new GetPolicyCommand({ PolicyArn: 'arn:aws:iam::aws:role/abc' }))
  await denied(wrong, 'InvalidInputException', 400, 'ARN arn:aws:iam::aws:role/abc is not valid.')
})

test('the caller’s policies and their conditions decide which managed policies it can change', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const PolicyArn = await newPolicy(root, 'use', { Action: 'kms:*' })
  const other = await newPolicy(root, 'all', { Action: '*' })
  const ada = await newUser('ada', {
    Action: ['iam:AttachUserPolicy', 'iam:GetPolicy'],
    Condition: { ArnEqualsIfExists: { 'iam:PolicyARN': PolicyArn } },
  })
  await ada.iam.send(new GetPolicyCommand({ PolicyArn }))
  await ada.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn }))
  const climb = ada.iam.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn: other }))
  const refusal = notAllowed(ada.arn, 'iam:AttachUserPolicy', 'user ada')
  await denied(climb, 'AccessDenied', 403, refusal)
  const PolicyDocument = documentOf({ Action: '*' })
  const rewrite = ada.iam.send(
    new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }),
  )
  const words = notAllowed(ada.arn, 'iam:CreatePolicyVersion', `policy ${PolicyArn}`)
  await denied(rewrite, 'AccessDenied', 403, words)
})
