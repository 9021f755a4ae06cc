import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  type PutKeyPolicyCommandInput,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { answerOf, fails, makeKey, refused, validationError, type MadeKey } from './sdk.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const root = `arn:aws:iam::${accountId}:root`
const Plaintext = Buffer.from('x')
let key: MadeKey

before(async () => {
  key = await makeKey(kms)
})

/** A policy by which the account manages the key, and these statements. */
function policyWith(...statements: readonly object[]): string {
  const manage = {
    Effect: 'Allow',
    Principal: { AWS: root },
    Action: 'kms:*',
    Resource: '*',
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: [manage, ...statements] })
}

function put(
  Policy: string | undefined,
  more: Partial<PutKeyPolicyCommandInput> = {},
): Promise<object> {
  return kms.send(new PutKeyPolicyCommand({ KeyId: key.keyId, Policy, ...more }))
}

async function policyOf(KeyId: string): Promise<string> {
  return (await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy ?? ''
}

const defaultPolicy = `{
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
}`

test('a key that is made without a policy has AWS’s default one, letter for letter', async () => {
  const { keyId: KeyId } = await makeKey(kms)
  const wanted = { Policy: defaultPolicy, PolicyName: 'default' }
  assert.deepEqual(await answerOf(kms.send(new GetKeyPolicyCommand({ KeyId }))), wanted)
  const named = new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' })
  assert.deepEqual(await answerOf(kms.send(named)), wanted)
})

test('a policy is kept as it was written, from CreateKey and from PutKeyPolicy', async () => {
  const written = policyWith().replaceAll(',', ' ,\n\t')
  const { keyId: KeyId } = await makeKey(kms, { Policy: written })
  assert.equal(await policyOf(KeyId), written)
  const next = ` ${policyWith()} `
  const command = new PutKeyPolicyCommand({ KeyId, Policy: next, PolicyName: 'default' })
  assert.deepEqual(await answerOf(kms.send(command)), {})
  assert.equal(await policyOf(KeyId), next)
})

test('ListKeyPolicies answers the one name, whatever limit and marker', async () => {
  for (const page of [{}, { Limit: 1 }, { Limit: 1000, Marker: 'anything' }]) {
    assert.deepEqual(
      await answerOf(kms.send(new ListKeyPoliciesCommand({ KeyId: key.keyId, ...page }))),
      { PolicyNames: ['default'], Truncated: false },
    )
  }
})

test('a policy by another name is not there, and one that is no name fails validation', async () => {
  const other = { KeyId: key.keyId, PolicyName: 'other' }
  const missing = ['NotFoundException', 'No such policy exists'] as const
  await refused(kms.send(new GetKeyPolicyCommand(other)), ...missing)
  await refused(put(policyWith(), { PolicyName: 'other' }), ...missing)
  const invalid = validationError(
    fails("'invalid-name'", 'policyName', 'satisfy regular expression pattern: [\\w]+'),
  )
  const bad = { KeyId: key.keyId, PolicyName: 'invalid-name' }
  await refused(kms.send(new GetKeyPolicyCommand(bad)), 'ValidationException', invalid)
  await refused(put(policyWith(), bad), 'ValidationException', invalid)
})

const lockout = 'The new key policy will not allow you to update the key policy in the future.'
const badPrincipal = 'Policy contains a statement with one or more invalid principals.'
const allowing = (part: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...part }],
  })

/** Policies that are refused, with AWS's words where they are known. */
const refusedPolicies: readonly (readonly [string, string, string])[] = [
  ['{', 'MalformedPolicyDocumentException', 'the policy cannot be read: it is not valid JSON'],
  [
    'not json',
    'MalformedPolicyDocumentException',
    'the policy cannot be read: it is not valid JSON',
  ],
  [
    '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}',
    'MalformedPolicyDocumentException',
    'the policy cannot be read: it names a member twice',
  ],
  [
    policyWith({ Sid: 'x'.repeat(33_000), Effect: 'Allow', Principal: '*', Action: 'kms:Encrypt' }),
    'LimitExceededException',
    'the policy has 33209 bytes, more than 32768',
  ],
  [
    allowing({ Principal: { AWS: root }, Action: 'kms:Encrypt' }),
    'MalformedPolicyDocumentException',
    lockout,
  ],
  [
    allowing({ Principal: { AWS: root }, Action: 'kms:DescribeKey' }),
    'MalformedPolicyDocumentException',
    lockout,
  ],
  [
    policyWith({ Effect: 'Deny', Principal: '*', Action: 'kms:PutKeyPolicy', Resource: '*' }),
    'MalformedPolicyDocumentException',
    lockout,
  ],
  [
    policyWith({
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::999999999999:root' },
      Action: 'kms:Encrypt',
      Resource: '*',
    }),
    'MalformedPolicyDocumentException',
    badPrincipal,
  ],
  [
    policyWith({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:user/nobody` },
      Action: 'kms:Encrypt',
      Resource: '*',
    }),
    'MalformedPolicyDocumentException',
    badPrincipal,
  ],
]

test('a policy that is broken, too large, or locks its writer out is written nowhere', async () => {
  const earlier = await policyOf(key.keyId)
  const keys = await kms.send(new ListKeysCommand({ Limit: 1000 }))
  for (const [policy, code, message] of refusedPolicies) {
    await refused(put(policy), code, message)
    await refused(kms.send(new CreateKeyCommand({ Policy: policy })), code, message)
  }
  for (const structure of ['[]', '{}', '{"Version":"2012-10-17"}', allowing({})]) {
    await assert.rejects(put(structure), { name: 'MalformedPolicyDocumentException' })
  }
  assert.equal(await policyOf(key.keyId), earlier)
  assert.deepEqual((await kms.send(new ListKeysCommand({ Limit: 1000 }))).Keys, keys.Keys)
})

test('a policy that is empty, missing or of other characters fails validation', async () => {
  const pattern = 'satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+'
  for (const [policy, ...items] of [
    [
      '',
      fails("''", 'policy', 'have length greater than or equal to 1'),
      fails("''", 'policy', pattern),
    ],
    [undefined, fails('null', 'policy', 'not be null')],
    ['{"Id":"ключ"}', fails(`'{"Id":"ключ"}'`, 'policy', pattern)],
  ] as const) {
    await refused(put(policy), 'ValidationException', validationError(...items))
  }
})

test('a policy may lock its writer out when the writer says so', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms, { Description: 'locked' })
  const Policy = allowing({ Principal: { AWS: root }, Action: 'kms:DescribeKey' })
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }))
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await refused(
    kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyWith() })),
    'AccessDeniedException',
    `User: ${root} is not authorized to perform: kms:PutKeyPolicy on resource: ${arn} ` +
      'because no resource-based policy allows the kms:PutKeyPolicy action',
  )
})

function denying(action: string, more: object = {}): string {
  return policyWith({ Effect: 'Deny', Principal: '*', Action: action, Resource: '*', ...more })
}

function explicitlyDenied(action: string, arn: string): string {
  return (
    `User: ${root} is not authorized to perform: ${action} on resource: ${arn} ` +
    'with an explicit deny in a resource-based policy'
  )
}

test('what a key policy denies is refused from the next call on, and only that', async () => {
  const { keyId: KeyId, arn } = await makeKey(kms)
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: denying('kms:Encrypt') }))
  await refused(
    kms.send(new EncryptCommand({ KeyId, Plaintext })),
    'AccessDeniedException',
    explicitlyDenied('kms:Encrypt', arn),
  )
  await kms.send(new DescribeKeyCommand({ KeyId }))
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyWith() }))
  await kms.send(new EncryptCommand({ KeyId, Plaintext }))
})

test('ReEncrypt asks ReEncryptFrom of its source and ReEncryptTo of its destination', async () => {
  const [from, to] = [await makeKey(kms), await makeKey(kms)]
  const sealed = await kms.send(new EncryptCommand({ KeyId: from.keyId, Plaintext }))
  const move = (source?: string): Promise<object> =>
    kms.send(
      new ReEncryptCommand({
        CiphertextBlob: sealed.CiphertextBlob,
        DestinationKeyId: to.keyId,
        SourceKeyId: source,
      }),
    )
  await move()
  await kms.send(new PutKeyPolicyCommand({ KeyId: to.keyId, Policy: denying('kms:ReEncryptTo') }))
  const atDestination = explicitlyDenied('kms:ReEncryptTo', to.arn)
  await refused(move(), 'AccessDeniedException', atDestination)
  await kms.send(
    new PutKeyPolicyCommand({ KeyId: from.keyId, Policy: denying('kms:ReEncryptFrom') }),
  )
  const atSource = explicitlyDenied('kms:ReEncryptFrom', from.arn)
  await refused(move(from.keyId), 'AccessDeniedException', atSource)
  await refused(move(), 'AccessDeniedException', atSource)
})

test('conditions speak of the encryption context, the alias and the request', async () => {
  const Policy = denying('kms:Encrypt', {
    Condition: { StringNotEquals: { 'kms:EncryptionContext:tier': 'gold' } },
  })
  const { keyId: KeyId, arn } = await makeKey(kms, { Policy })
  const gold = { tier: 'gold' }
  await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: gold }))
  for (const EncryptionContext of [undefined, { tier: 'lead' }, { Tier: 'lead' }]) {
    await refused(
      kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext })),
      'AccessDeniedException',
      explicitlyDenied('kms:Encrypt', arn),
    )
  }
})
