/** `trent explain`: what operators are told of decisions, and that it holds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutUserPolicyCommand } from '@aws-sdk/client-iam'
import { DecryptCommand, DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type {
  AccessExplanation,
  CallExplanation,
} from '../../src/operations/contract/access-questions.ts'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { accountId } from '../harness.ts'
import { documentOf, openIdentities, type Identities } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { trentOf } from './trent-command.ts'

const Plaintext = Buffer.from('x')

async function explained({ server }: Identities, asked: object): Promise<AccessExplanation> {
  const { now } = (await callOperator(server.directory, 'ExplainAccess', asked)) as CallExplanation
  assert(now)
  return now
}

test('what a user lacks is explained, and the change that is proposed, made through IAM, gives it', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser } = identities
  const alice = await newUser('alice', { Action: 'kms:Encrypt' })
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const decrypt = (): Promise<unknown> =>
    alice.kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))
  const asked = { caller: alice.arn, action: 'kms:Decrypt', key: KeyId }
  await assert.rejects(decrypt())
  const refusal = await explained(identities, asked)
  assert.deepEqual(
    [refusal.decision, refusal.keyArn, refusal.reasons],
    ['deny', arn, [{ effect: 'implicit-deny', policy: 'identity' }]],
  )
  assert.deepEqual(
    refusal.statements.map(({ in: { policy }, label }) => [policy, label]),
    [['resource', 'Enable IAM User Permissions']],
  )
  const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: arn }
  assert.deepEqual(refusal.change, [
    { edit: 'add-statement', in: { policy: 'identity' }, statement },
  ])
  assert.deepEqual(
    refusal.alternatives.flat().map(({ edit }) => edit),
    ['add-statement', 'add-grant'],
  )
  // As CreateGrant takes it, without the grantee's id.
  const grant = { granteePrincipal: asked.caller, operations: ['Decrypt'] }
  assert.deepEqual(refusal.alternatives.flat().at(-1), { edit: 'add-grant', grant })
  const PolicyDocument = documentOf(statement)
  await root.iam.send(
    new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'more', PolicyDocument }),
  )
  await decrypt()
  const given = await explained(identities, asked)
  assert.deepEqual(
    [given.decision, given.reasons.at(-1)],
    [
      'allow',
      { effect: 'allow', policy: 'identity', source: 'inline policy more', statement: '#0' },
    ],
  )
  assert.equal(given.change?.length, 1)
})

test('a call is explained by its request id: as its record says, and as it would be now', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser, server } = identities
  const bob = await newUser('bob')
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const EncryptionContext = { team: 'a' }
  const encrypt = new EncryptCommand({ KeyId, Plaintext, EncryptionContext })
  const requestId = await bob.kms.send(encrypt).then(
    () => assert.fail('bob may not'),
    ({ $metadata }: { $metadata: { requestId: string } }) => $metadata.requestId,
  )
  const PolicyDocument = documentOf({
    Action: 'kms:Encrypt',
    Condition: { StringEquals: { 'kms:EncryptionContext:team': 'a' } },
  })
  await root.iam.send(
    new PutUserPolicyCommand({ UserName: 'bob', PolicyName: 'team', PolicyDocument }),
  )
  const find = (): Promise<unknown> =>
    callOperator(server.directory, 'ExplainAccess', { requestId })
  let answer: unknown
  for (let attempt = 0; answer === undefined && attempt < 40; attempt += 1) {
    answer = await find().catch(() => sleep(250))
  }
  const { call, now } = answer as CallExplanation
  assert.deepEqual(
    [call.eventName, call.caller, call.errorCode, call.requestId],
    ['Encrypt', bob.arn, 'AccessDenied', requestId],
  )
  assert.deepEqual(call.reasons, [
    { action: 'kms:Encrypt', effect: 'implicit-deny', policy: 'identity' },
  ])
  assert.deepEqual([now?.decision, now?.keyArn], ['allow', arn])
  const text = await trentOf(identities)('explain', '--request', requestId)
  assert.match(text, /^Encrypt of \S+user\/bob failed with AccessDenied at /)
  assert.match(text, /kms:Encrypt: nothing in the identity policies allows it/)
  assert.match(text, /^ALLOWED {2}kms:Encrypt$/m)
  assert.match(text, /statement #0 of the identity policies, inline policy team allows it/)
  // Nothing was decided where nothing was found.
  const describe = new DescribeKeyCommand({ KeyId: 'alias/none' })
  const error: unknown = await root.kms.send(describe).catch((refused: unknown) => refused)
  const { $metadata } = error as { readonly $metadata: { readonly requestId: string } }
  let missing: unknown
  for (let attempt = 0; missing === undefined && attempt < 40; attempt += 1) {
    const given = { requestId: $metadata.requestId }
    missing = await callOperator(server.directory, 'ExplainAccess', given).catch(() => sleep(250))
  }
  const told = await trentOf(identities)('explain', '--request', $metadata.requestId)
  assert.match(
    told,
    /^DescribeKey of \S+:root failed with NotFoundException at .*\n.* is not found\.\n\n/,
  )
  assert.doesNotMatch(told, /because/)
  await assert.rejects(
    callOperator(server.directory, 'ExplainAccess', { requestId: 'none' }),
    /NotFoundException.*no record of the request none/,
  )
})

test('a refused call on another account’s key is explained by the name that the call gave it', async (t) => {
  const identities = await openIdentities(t)
  const { root, as, server } = identities
  const made = (await callOperator(server.directory, 'CreateAccount')) as CreatedAccount
  const { arn } = await makeKey(root.kms)
  const error: unknown = await as(made)
    .kms.send(new EncryptCommand({ KeyId: arn, Plaintext }))
    .catch((refused: unknown) => refused)
  const { requestId } = (error as { readonly $metadata: { readonly requestId: string } }).$metadata
  // The record is in the caller's account: all accounts are searched, or the one that is named.
  const asked = { requestId }
  let answer: unknown
  for (let attempt = 0; answer === undefined && attempt < 40; attempt += 1) {
    answer = await callOperator(server.directory, 'ExplainAccess', asked).catch(() => sleep(250))
  }
  const inOne = callOperator(server.directory, 'ExplainAccess', {
    requestId,
    accountId: made.accountId,
  })
  assert.deepEqual(await inOne, answer)
  const elsewhere = { requestId, accountId: accountId }
  await assert.rejects(callOperator(server.directory, 'ExplainAccess', elsewhere), /no record of/)
  const { call, now } = answer as CallExplanation
  assert.deepEqual(call.reasons, [])
  assert.deepEqual([now?.action, now?.keyArn, now?.decision], ['kms:Encrypt', arn, 'deny'])
  const reason = { effect: 'implicit-deny', policy: 'resource' }
  assert.deepEqual(now?.reasons, [reason])
})

test('conditions are asked as they are given, and a service may call for the caller', async (t) => {
  const identities = await openIdentities(t)
  const { root, newUser } = identities
  const Condition = {
    IpAddress: { 'aws:SourceIp': '192.0.2.0/24' },
    StringEquals: { 'kms:ViaService': 's3.us-west-2.amazonaws.com' },
  }
  const carol = await newUser('carol', { Action: 'kms:Decrypt', Condition })
  const { keyId: key } = await makeKey(root.kms)
  const by = async (more: object): Promise<string> =>
    (await explained(identities, { caller: carol.arn, action: 'kms:Decrypt', key, ...more }))
      .decision
  const at = (address: string): object => ({
    context: [{ name: 'aws:SourceIp', values: [address] }],
  })
  const via = 's3.amazonaws.com'
  assert.equal(await by({}), 'deny')
  assert.equal(await by(at('192.0.2.9')), 'deny')
  assert.equal(await by({ via, ...at('198.51.100.9') }), 'deny')
  assert.equal(await by({ via, ...at('192.0.2.9') }), 'allow')
  const text = await trentOf(identities)(
    'explain',
    '--caller',
    carol.arn,
    '--action',
    'kms:Decrypt',
    '--key',
    key,
    '--via',
    via,
    '--context',
    'aws:SourceIp=192.0.2.9',
  )
  assert.match(text, /^ALLOWED {2}kms:Decrypt$/m)
  assert.match(text, /^the smallest change that would deny it$/m)
})

const refused: readonly (readonly [string, object, RegExp])[] = [
  ['nothing', {}, /either a request id is needed, or a caller, an action and a key/],
  [
    'both',
    { requestId: 'x', caller: `arn:aws:iam::${accountId}:root`, action: 'kms:Decrypt', key: 'x' },
    /either a request id/,
  ],
  [
    'a principal that is not there',
    { caller: `arn:aws:iam::${accountId}:user/none`, action: 'kms:Decrypt', key: 'alias/x' },
    /NotFoundException.*no principal/,
  ],
  [
    'what is no principal',
    { caller: `arn:aws:s3:::${accountId}`, action: 'kms:Decrypt', key: 'alias/x' },
    /ValidationException/,
  ],
  [
    'a permission that no call asks for',
    { caller: `arn:aws:iam::${accountId}:root`, action: 'kms:Nothing', key: 'alias/x' },
    /no call asks for kms:Nothing on a key/,
  ],
  [
    'a key that is not there',
    { caller: `arn:aws:iam::${accountId}:root`, action: 'kms:Decrypt', key: 'alias/x' },
    /NotFoundException/,
  ],
]

test('questions that cannot be answered are refused, and every question leaves a record', async (t) => {
  const { server } = await openIdentities(t)
  for (const [what, asked, message] of refused) {
    await assert.rejects(callOperator(server.directory, 'ExplainAccess', asked), message, what)
  }
  await assert.rejects(
    callOperator(server.directory, 'ListAccess', { key: 'alias/x' }),
    /NotFoundException/,
  )
  const names = (await recordsOf(server.directory)).map(({ eventName }) => eventName)
  assert.equal(names.filter((name) => name === 'ExplainAccess').length, refused.length)
  assert.equal(names.filter((name) => name === 'ListAccess').length, 1)
})
