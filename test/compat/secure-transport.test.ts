/** What counts as a call over TLS, and where calls come from when proxies bring them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SimulateCustomPolicyCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam'
import { EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import type {
  AccessExplanation,
  CallExplanation,
} from '../../src/operations/contract/access-questions.ts'
import type { WhoCanPage } from '../../src/operations/contract/access-questions.ts'
import { callOperator, OperatorCallFailed } from '../../src/operator/client.ts'
import { accountId } from '../harness.ts'
import { openIdentities, documentOf, type Identities, type Signed } from './identities.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const Plaintext = Buffer.from('x')
const root = `arn:aws:iam::${accountId}:root`
const allow = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
/** The statement that guides and security scanners ask for. */
const denyPlain = {
  Sid: 'DenyWithoutTls',
  Effect: 'Deny',
  Principal: '*',
  Action: 'kms:*',
  Resource: '*',
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
}
const policyOf = (...statements: object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

/** Adds to each request, behind its signature, what a proxy adds. */
function through(client: KMSClient, headers: Readonly<Record<string, string>>): KMSClient {
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, headers) // an HttpRequest
      return next(args)
    },
    { step: 'deserialize', name: 'proxy' },
  )
  return client
}

const behind = (identities: Identities, headers: Readonly<Record<string, string>>): KMSClient =>
  through(identities.server.client(), headers)

async function explained(
  { server }: Identities,
  asked: object,
): Promise<AccessExplanation | undefined> {
  return ((await callOperator(server.directory, 'ExplainAccess', asked)) as CallExplanation).now
}

async function simulated({ iam }: Signed, ...policies: string[]): Promise<unknown[]> {
  const asked = { ActionNames: ['kms:Encrypt'], PolicyInputList: policies }
  const { EvaluationResults } = await iam.send(new SimulateCustomPolicyCommand(asked))
  return (EvaluationResults ?? []).map(({ EvalDecision }) => EvalDecision)
}

test('over loopback a key that denies calls without TLS is made, used and explained', async (t) => {
  const identities = await openIdentities(t)
  const { server, newUser } = identities
  const { keyId: KeyId } = await makeKey(identities.root.kms, {
    Policy: policyOf(allow, denyPlain),
  })
  const user = await newUser('alice', { Action: 'kms:Encrypt' })
  await user.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const asked = { caller: user.arn, action: 'kms:Encrypt', key: KeyId }
  assert.equal((await explained(identities, asked))?.decision, 'allow')
  const listed = { key: KeyId, action: 'kms:Encrypt' }
  const { access } = (await callOperator(server.directory, 'ListAccess', listed)) as WhoCanPage
  assert.deepEqual(
    access.map(({ principal }) => principal),
    [root, user.arn],
  )
  const denying = documentOf({ ...denyPlain, Principal: undefined })
  const allowing = documentOf({ Action: 'kms:*' })
  assert.deepEqual(await simulated(identities.root, allowing, denying), ['allowed'])
  const { EvaluationResults } = await identities.root.iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: user.arn,
      ActionNames: ['kms:Encrypt'],
      PolicyInputList: [denying],
    }),
  )
  assert.equal(EvaluationResults?.[0]?.EvalDecision, 'allowed')
  // What is said of the call goes before what it would be by itself.
  const context = [{ name: 'aws:SecureTransport', values: ['false'] }]
  assert.equal((await explained(identities, { ...asked, context }))?.decision, 'deny')
})

test('behind a listed proxy a call is as secure as the proxy says, and so is its explanation', async (t) => {
  const identities = await openIdentities(t, { TRENT_TRUSTED_PROXIES: '127.0.0.1' })
  const { server } = identities
  const { keyId: KeyId } = await makeKey(identities.root.kms, {
    Policy: policyOf(allow, denyPlain),
  })
  const client = { 'x-forwarded-for': '203.0.113.7' }
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  await behind(identities, { ...client, 'x-forwarded-proto': 'https' }).send(encrypt)
  await identities.root.kms.send(encrypt)
  const refused = ['http', 'https,http', ''].map((scheme) =>
    behind(identities, { ...client, 'x-forwarded-proto': scheme }).send(encrypt),
  )
  const calls = [...refused, behind(identities, client).send(encrypt)]
  await Promise.all(calls.map((call) => assert.rejects(call, { name: 'AccessDeniedException' })))
  const records = (await recordsOf(server.directory)).filter(
    ({ eventName }) => eventName === 'Encrypt',
  )
  assert.deepEqual(
    records.slice(0, 2).map(({ sourceIPAddress }) => sourceIPAddress),
    ['203.0.113.7', '127.0.0.1'],
  )
  const denied = records.find(({ errorCode }) => errorCode === 'AccessDenied')
  assert.equal(denied?.sourceIPAddress, '203.0.113.7')
  assert.equal((await explainedCall(identities, denied?.requestID))?.decision, 'deny')
  assert.equal((await explainedCall(identities, records[0]?.requestID))?.decision, 'allow')
  // A call that nobody makes is taken to come over TLS.
  const asked = { caller: root, action: 'kms:Encrypt', key: KeyId }
  assert.equal((await explained(identities, asked))?.decision, 'allow')
})

/** The event index follows the journal after some moments. */
async function explainedCall(
  identities: Identities,
  requestId: unknown,
): Promise<AccessExplanation | undefined> {
  for (let left = 100; ; left -= 1) {
    try {
      return await explained(identities, { requestId })
    } catch (error) {
      if (!(error instanceof OperatorCallFailed) || left === 0) throw error
      await sleep(100)
    }
  }
}

test('aws:SourceIp and the record are of the client, whom only a listed proxy can name', async (t) => {
  const office = {
    ...allow,
    Effect: 'Deny',
    Action: 'kms:Encrypt',
    Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } },
  }
  const Policy = policyOf(allow, office)
  const listed = await openIdentities(t, { TRENT_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1' })
  const unlisted = await openIdentities(t, { TRENT_TRUSTED_PROXIES: '10.0.0.0/8' })
  for (const [identities, from, allowed] of [
    [listed, '203.0.113.7', true],
    [listed, '198.51.100.1, 203.0.113.7', true],
    [listed, '203.0.113.7, 198.51.100.1', false],
    [listed, '203.0.113.7, 198.51.100.1, 10.0.0.1', false],
    [unlisted, '203.0.113.7', false],
  ] as const) {
    const { keyId: KeyId } = await makeKey(identities.root.kms, { Policy })
    const call = behind(identities, { 'x-forwarded-for': from }).send(
      new EncryptCommand({ KeyId, Plaintext }),
    )
    if (allowed) await call
    else await assert.rejects(call, { name: 'AccessDeniedException' })
  }
})
