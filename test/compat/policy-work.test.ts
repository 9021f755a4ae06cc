/** Policies that are hard to decide, incomplete ARNs and boundaries, through the official SDKs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreatePolicyCommand,
  GetContextKeysForCustomPolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  SimulateCustomPolicyCommand,
  type EvaluationResult,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, GetFederationTokenCommand } from '@aws-sdk/client-sts'
import { accountId } from '../harness.ts'
import { credentialsOf, denied, documentOf, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'

const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
const owner = `arn:aws:iam::${accountId}:root`
const trust = { Effect: 'Allow', Principal: { AWS: owner }, Action: 'sts:AssumeRole' }
const patterns = (count: number): readonly string[] =>
  Array.from({ length: count }, () => '*?a*?a*?a*?a*?z*')
const hard = {
  ...everything,
  Action: 'kms:*',
  Condition: { StringLike: { 'kms:EncryptionContext:a': patterns(80) } },
}
const Plaintext = Buffer.from('x')

test('a session policy that is too hard to decide denies, and the record says why', async (t) => {
  const { root, as, server, newRole, newUser } = await openIdentities(t)
  const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? ''
  const { arn: RoleArn } = await newRole('R', trust, everything)
  const user = await newUser('alice', everything)
  const asked = { RoleArn, RoleSessionName: 'ci', Policy: documentOf(hard) }
  const { Credentials } = await user.sts.send(new AssumeRoleCommand(asked))
  const { kms } = as(credentialsOf(Credentials))
  const encrypt = (a: string) =>
    kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { a } }))
  const why = /because no resource-based policy allows the kms:Encrypt action$/
  await denied(encrypt('a'.repeat(8_000)), 'AccessDeniedException', 400, why)
  const refused = (await recordsOf(server.directory)).filter(
    ({ eventName, errorCode }) => eventName === 'Encrypt' && errorCode !== undefined,
  )
  assert.equal(refused.length, 1)
  assert.deepEqual(
    refused[0]?.trent.reasons.map(({ policy, undecided }) => [policy, undecided]),
    [
      ['resource', undefined],
      ['session', 'work'],
      ['resource', 'work'],
    ],
  )
  assert.ok((await encrypt('xaxaxaxaxz')).CiphertextBlob)
})

const simulate = (more: object = {}) =>
  new SimulateCustomPolicyCommand({
    PolicyInputList: [documentOf(hard), documentOf(everything)],
    ActionNames: Array.from({ length: 20 }, (_, index) => `kms:Action${index}`),
    ContextEntries: [
      {
        ContextKeyName: 'kms:EncryptionContext:a',
        ContextKeyType: 'string',
        ContextKeyValues: ['a'.repeat(2_000)],
      },
    ],
    ...more,
  })

test('a page of a simulation ends early when its decisions are hard, and the next goes on', async (t) => {
  const { root } = await openIdentities(t)
  const results: EvaluationResult[] = []
  let Marker: string | undefined
  let pages = 0
  do {
    const page = await root.iam.send(simulate(Marker === undefined ? {} : { Marker }))
    results.push(...(page.EvaluationResults ?? []))
    assert.equal(page.IsTruncated, page.Marker !== undefined)
    Marker = page.Marker
    pages += 1
  } while (Marker !== undefined)
  assert.ok(pages > 1 && pages <= 20, `${pages} pages`)
  const names = results.map(({ EvalActionName }) => EvalActionName)
  assert.deepEqual(
    names,
    Array.from({ length: 20 }, (_, index) => `kms:Action${index}`),
  )
  const easy = await root.iam.send(simulate({ PolicyInputList: [documentOf(everything)] }))
  assert.equal(easy.EvaluationResults?.length, 20)
  assert.equal(easy.IsTruncated, false)
})

test('other calls are answered during a simulation, and an aborted one ends', async (t) => {
  const { root, server } = await openIdentities(t)
  const lists = Array.from({ length: 60 }, () => documentOf(hard))
  const gone = new AbortController()
  const asked = root.iam.send(simulate({ PolicyInputList: lists }), { abortSignal: gone.signal })
  const keys = new GetContextKeysForCustomPolicyCommand({ PolicyInputList: lists })
  const [names] = await Promise.all([
    root.iam.send(keys),
    root.kms.send(new CreateKeyCommand({})).then(() => gone.abort()),
    asked.catch(() => undefined),
  ])
  assert.deepEqual(names.ContextKeyNames, ['kms:encryptioncontext:a'])
  assert.ok(!server.logged.some((line) => line.includes('request failed')))
})

test('role sessions refuse incomplete ARNs; policies of identities complete them', async (t) => {
  const { root, as, newRole, newUser } = await openIdentities(t)
  const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? ''
  const { arn: RoleArn } = await newRole('R', trust, everything)
  const user = await newUser('alice', everything)
  const assume = (Resource: string) => {
    const Policy = documentOf({ ...everything, Resource })
    return user.sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ci', Policy }))
  }
  for (const Resource of [
    'arn:aws:kms',
    'arn:aws:kms:us-west-2',
    'arn:aws:kms:*:${aws:username}',
  ]) {
    await denied(assume(Resource), 'MalformedPolicyDocumentException', 400, /fewer than six parts/)
  }
  assert.ok((await assume(`arn:aws:kms:*:${accountId}:*`)).Credentials)
  assert.ok((await assume('*')).Credentials)
  const Policy = documentOf({ ...everything, Resource: 'arn:aws:kms' })
  const told = await user.sts.send(new GetFederationTokenCommand({ Name: 'guest', Policy }))
  const guest = as(credentialsOf(told.Credentials))
  assert.ok((await guest.kms.send(new EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob)
  const deny = { Effect: 'Deny', Action: 'kms:*', Resource: 'arn:aws:kms' }
  const bob = await newUser('bob', everything)
  const second = { UserName: 'bob', PolicyName: 'deny', PolicyDocument: documentOf(deny) }
  await root.iam.send(new PutUserPolicyCommand(second))
  const explicit = /with an explicit deny in an identity-based policy$/
  const call = bob.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await denied(call, 'AccessDeniedException', 400, explicit)
})

test('Deny with NotPrincipal denies a user that it excepts once it has a boundary', async (t) => {
  const { root, newUser } = await openIdentities(t)
  const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? ''
  const { arn, kms } = await newUser('alice', everything)
  const allow = { Effect: 'Allow', Principal: { AWS: owner }, Action: 'kms:*', Resource: '*' }
  const deny = { ...allow, Effect: 'Deny', Principal: undefined, Action: 'kms:Encrypt' }
  const Statement = [allow, { ...deny, NotPrincipal: { AWS: [owner, arn] } }]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
  const encrypt = () => kms.send(new EncryptCommand({ KeyId, Plaintext }))
  assert.ok((await encrypt()).CiphertextBlob)
  const PolicyDocument = documentOf(everything)
  const made = await root.iam.send(new CreatePolicyCommand({ PolicyName: 'all', PolicyDocument }))
  const PermissionsBoundary = made.Policy?.Arn
  await root.iam.send(
    new PutUserPermissionsBoundaryCommand({ UserName: 'alice', PermissionsBoundary }),
  )
  const explicit = /with an explicit deny in a resource-based policy$/
  await denied(encrypt(), 'AccessDeniedException', 400, explicit)
})
