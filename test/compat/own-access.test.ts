/** "Who can" and "why denied" by an account's own credentials: who may ask, and what an answer never shows. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import type { CallExplanation, WhoCanPage } from '../../src/operations/contract/access-questions.ts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, credentials } from '../harness.ts'
import { openIdentities, type Credentials } from './identities.ts'
import { askOwn } from './own-paths.ts'
import { makeKey } from './sdk.ts'
import type { HttpAnswer } from './signed-http.ts'

const identities = await openIdentities({ after })
const { root, newUser, server } = identities
const Plaintext = Buffer.from('x')

const ask = (path: string, body: object, by: Credentials = credentials): Promise<HttpAnswer> =>
  askOwn(server, path, body, by)

const both = { Action: ['console:*', 'iam:GetAccountAuthorizationDetails'] }

async function explained(requestId: string, by?: Credentials): Promise<CallExplanation> {
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const { status, text } = await ask('/_trent/explain', { requestId }, by)
    if (status === 200) return JSON.parse(text) as CallExplanation
    assert.match(text, /NotFoundException/)
    await sleep(250)
  }
  return assert.fail('the call has no record')
}

async function refusedBy(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => assert.fail('it must be refused'),
    (reason: unknown) => reason,
  )
  return (error as { $metadata: { requestId: string } }).$metadata.requestId
}

test('who can use a key is listed for its account, to a caller who may read its identities', async () => {
  const { keyId, arn } = await makeKey(root.kms)
  const may = await newUser('reader', both)
  const { status, text } = await ask('/_trent/who-can', { key: keyId }, may.credentials)
  assert.equal(status, 200, text)
  const page = JSON.parse(text) as WhoCanPage
  assert.equal(page.keyArn, arn)
  assert.deepEqual(
    page.access.map(({ principal }) => principal),
    [`arn:aws:iam::${accountId}:root`],
  )
})

test('one permission of the two is not enough, and nobody asks unsigned', async () => {
  const { keyId } = await makeKey(root.kms)
  for (const [name, Action, lacking] of [
    ['only-console', 'console:*', 'iam:GetAccountAuthorizationDetails'],
    ['only-iam', 'iam:*', 'console:ListOwnAccess'],
  ] as const) {
    const user = await newUser(name, { Action })
    const { status, text } = await ask('/_trent/who-can', { key: keyId }, user.credentials)
    assert.equal(status, 400)
    assert.match(text, /AccessDeniedException/)
    assert.match(text, new RegExp(`not authorized to perform: ${lacking}`))
  }
  const why = await ask(
    '/_trent/explain',
    { requestId: 'x' },
    (await newUser('nobody')).credentials,
  )
  assert.match(why.text, /not authorized to perform: console:ExplainOwnCall/)
  const unsigned = await fetch(`${server.url}/_trent/who-can`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key: keyId }),
  })
  assert.equal(unsigned.status, 400)
  assert.match(await unsigned.text(), /MissingAuthenticationTokenException/)
})

test('a refused call is explained with the change that would turn it', async () => {
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const alice = await newUser('alice', { Action: 'kms:Encrypt' })
  const { CiphertextBlob } = await root.kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const requestId = await refusedBy(alice.kms.send(new DecryptCommand({ CiphertextBlob, KeyId })))
  const { call, now } = await explained(requestId)
  assert.deepEqual(
    [call.eventName, call.caller, call.errorCode],
    ['Decrypt', alice.arn, 'AccessDenied'],
  )
  assert.equal(now?.decision, 'deny')
  const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: arn }
  assert.deepEqual(now?.change, [{ edit: 'add-statement', in: { policy: 'identity' }, statement }])
  const none = await ask('/_trent/explain', { requestId: 'none' })
  assert.match(none.text, /NotFoundException/)
})

test('an answer holds nothing of another account: no key, no caller, no page of its principals', async () => {
  const other = (await callOperator(server.directory, 'CreateAccount', {})) as CreatedAccount
  const theirs = {
    accessKeyId: other.accessKeyId,
    secretAccessKey: other.secretAccessKey,
  }
  const kms = server.client({ credentials: theirs })
  const { keyId, arn } = await makeKey(kms)
  const foreign = await ask('/_trent/who-can', { key: arn })
  assert.match(foreign.text, /NotFoundException.*in this account/)
  const paged = await ask('/_trent/who-can', { key: keyId, after: `${accountId}/root` }, theirs)
  assert.match(paged.text, /ValidationException/)
  const listed = JSON.parse((await ask('/_trent/who-can', { key: arn }, theirs)).text) as WhoCanPage
  assert.deepEqual(
    listed.access.map(({ principal }) => principal),
    [`arn:aws:iam::${other.accountId}:root`],
  )
  // Their user is refused our key. Our account sees the call, but not their policies.
  const mine = await makeKey(root.kms)
  const requestId = await refusedBy(kms.send(new EncryptCommand({ KeyId: mine.arn, Plaintext })))
  const { now, unasked } = await explained(requestId, theirs)
  assert.deepEqual([now, unasked], [undefined, 'the caller or the key is of another account'])
})

test('an account asks one question at a time', async () => {
  const { keyId } = await makeKey(root.kms)
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => ask('/_trent/who-can', { key: keyId })),
  )
  const statuses = answers.map(({ status }) => status)
  assert.ok(statuses.includes(200))
  assert.ok(answers.some(({ text }) => /ThrottlingException/.test(text)))
})
