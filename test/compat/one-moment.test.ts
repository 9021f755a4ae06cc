/**
 * Decisions of one moment: a call that takes long is decided on facts that were true together, and again
 * before what it has made is kept or answered.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AttachUserPolicyCommand,
  CreatePolicyCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { documentOf, openIdentities, type Identities, type MadeUser } from './identities.ts'
import { makeKey } from './sdk.ts'
import { send } from './signed-http.ts'
import { recordsOf } from './records.ts'

type Context = Parameters<typeof openIdentities>[0]

/** Calls of `operations` wait this long between what they find of the key and what they find of the caller. */
async function slowDown(port: number, operations: readonly string[]): Promise<void> {
  const rawHeaders = ['Host', `127.0.0.1:${port}`, 'Content-Type', 'application/json']
  const body = Buffer.from(JSON.stringify({ faults: [{ operations, delayMs: 1500, count: 1 }] }))
  const { status } = await send(
    { port },
    { method: 'POST', target: '/_trent/test/faults', rawHeaders, body },
  )
  assert.equal(status, 200)
}

/** Resolves once the fault has struck: the call has found its key, and waits. */
async function struck(port: number): Promise<void> {
  const rawHeaders = ['Host', `127.0.0.1:${port}`]
  for (;;) {
    const request = { method: 'GET', target: '/_trent/test/faults', rawHeaders }
    const { text } = await send({ port }, { ...request, body: Buffer.alloc(0) })
    if ((JSON.parse(text) as { readonly faults: readonly unknown[] }).faults.length === 0) return
    await sleep(10)
  }
}

function keyPolicy(...statements: readonly object[]): string {
  const Principal = { AWS: `arn:aws:iam::${accountId}:root` }
  const administration = {
    Effect: 'Allow',
    Principal,
    Action: ['kms:Put*', 'kms:Get*', 'kms:Desc*'],
    Resource: '*',
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: [administration, ...statements] })
}

const delegating = {
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${accountId}:root` },
  Action: '*',
  Resource: '*',
}

/** At no moment do both the key policy and the user's own policy let the user encrypt. */
async function neverAllowed(t: Context, settings: object): Promise<void> {
  const { server, root, newUser } = await openIdentities(t, { TRENT_TEST_API: 'on', ...settings })
  const user = await newUser('joiner')
  const { keyId: KeyId } = await makeKey(root.kms, { Policy: keyPolicy(delegating) })
  await slowDown(server.port, ['Encrypt'])
  const encrypting = user.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const refused = assert.rejects(encrypting, { name: 'AccessDeniedException' })
  await struck(server.port)
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy() }))
  const PolicyDocument = documentOf({ Action: 'kms:*' })
  const put = { UserName: 'joiner', PolicyName: 'own', PolicyDocument }
  await root.iam.send(new PutUserPolicyCommand(put))
  // Whichever worker serves the waiting call: its caches have caught up by these.
  for (let calls = 0; calls < 8; calls += 1) {
    await server.client().send(new DescribeKeyCommand({ KeyId }))
  }
  await refused
}

test('an old key policy is not joined with a newer policy of the user', (t) => neverAllowed(t, {}))

test('nor are they by several workers, whose caches are their own', (t) =>
  neverAllowed(t, { TRENT_WORKERS: '2' }))

test('a call is allowed by what is true when the last of its facts is read', async (t) => {
  const { server, root, newUser } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const user = await newUser('late')
  const { keyId: KeyId } = await makeKey(root.kms, { Policy: keyPolicy() })
  await slowDown(server.port, ['Encrypt'])
  const encrypting = user.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const settled = encrypting.then(() => 'allowed')
  await struck(server.port)
  const PolicyDocument = documentOf({ Action: 'kms:Encrypt' })
  const put = { UserName: 'late', PolicyName: 'own', PolicyDocument }
  await root.iam.send(new PutUserPolicyCommand(put))
  await root.kms.send(new PutKeyPolicyCommand({ KeyId, Policy: keyPolicy(delegating) }))
  assert.equal(await settled, 'allowed')
})

test('an access key that is switched off meanwhile is not joined with a policy that is given later', async (t) => {
  const { server, root, newUser } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const user = await newUser('switched')
  const { keyId: KeyId } = await makeKey(root.kms, { Policy: keyPolicy(delegating) })
  await slowDown(server.port, ['Encrypt'])
  const encrypting = user.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  const refused = assert.rejects(encrypting, { name: 'UnrecognizedClientException' })
  await struck(server.port)
  const AccessKeyId = user.credentials.accessKeyId
  const off = { UserName: 'switched', AccessKeyId, Status: 'Inactive' } as const
  await root.iam.send(new UpdateAccessKeyCommand(off))
  const policy = { PolicyName: 'later', PolicyDocument: documentOf({ Action: 'kms:*' }) }
  const { Policy } = await root.iam.send(new CreatePolicyCommand(policy))
  const attach = { UserName: 'switched', PolicyArn: Policy?.Arn }
  await root.iam.send(new AttachUserPolicyCommand(attach))
  await refused
})

test('changes that the call does not depend on do not refuse it, however many there are', async (t) => {
  const { server, root } = await openIdentities(t, { TRENT_TEST_API: 'on' })
  const { keyId: KeyId } = await makeKey(root.kms)
  await slowDown(server.port, ['Encrypt'])
  const encrypting = root.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await struck(server.port)
  for (let made = 0; made < 20; made += 1) await makeKey(root.kms)
  await encrypting
})

async function keysOf(kms: KMSClient): Promise<readonly string[]> {
  const { Keys = [] } = await kms.send(new ListKeysCommand({}))
  return Keys.map(({ KeyId = '' }) => KeyId)
}

async function deleteUser({ root }: Identities, user: MadeUser, UserName: string): Promise<void> {
  const AccessKeyId = user.credentials.accessKeyId
  await root.iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }))
  await root.iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName: 'own' }))
  await root.iam.send(new DeleteUserCommand({ UserName }))
}

/** How many of `count` slow calls of a user end well though `end` takes its rights away meanwhile. */
async function slowCalls(
  identities: Identities,
  call: (user: MadeUser) => Promise<unknown>,
  end: (user: MadeUser) => Promise<void>,
): Promise<{ readonly errors: readonly string[]; readonly answered: number }> {
  const user = await identities.newUser('slow', { Action: 'kms:*' })
  let answered = 0
  const calls = Array.from({ length: 5 }, () =>
    call(user).then(
      () => {
        answered += 1
        return ''
      },
      (error: Error) => error.name,
    ),
  )
  await Promise.race(calls)
  await end(user)
  const before = answered
  const errors = (await Promise.all(calls)).filter((name) => name !== '')
  assert(errors.length > 0, 'all of them were done before the rights ended')
  // One answer at most had left the server and not yet arrived.
  assert(answered - before <= 1, `${answered - before} calls were answered afterwards`)
  return { errors, answered }
}

const rsaKey = { KeySpec: 'RSA_4096', KeyUsage: 'SIGN_VERIFY' } as const

test('of slow keys none is made once its maker is gone', async (t) => {
  const identities = await openIdentities(t)
  const { root, server } = identities
  let after: readonly string[] = []
  const { errors, answered } = await slowCalls(
    identities,
    (user) => user.kms.send(new CreateKeyCommand(rsaKey)),
    async (user) => {
      await deleteUser(identities, user, 'slow')
      after = await keysOf(root.kms)
    },
  )
  assert.deepEqual([...new Set(errors)], ['UnrecognizedClientException'])
  assert.deepEqual(await keysOf(root.kms), after, 'no key was made afterwards')
  assert.equal(after.length, answered)
  const records = (await recordsOf(server.directory)).filter(
    ({ eventName }) => eventName === 'CreateKey',
  )
  assert.equal(records.filter(({ errorCode }) => errorCode !== undefined).length, errors.length)
})

test('nor once its permission is taken away', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  let after: readonly string[] = []
  const { errors } = await slowCalls(
    identities,
    (user) => user.kms.send(new CreateKeyCommand(rsaKey)),
    async () => {
      const policy = { UserName: 'slow', PolicyName: 'own' }
      await root.iam.send(new DeleteUserPolicyCommand(policy))
      after = await keysOf(root.kms)
    },
  )
  assert.deepEqual([...new Set(errors)], ['AccessDeniedException'])
  assert.deepEqual(await keysOf(root.kms), after, 'no key was made afterwards')
})

test('slow data key pairs are not answered once the permission is taken away', async (t) => {
  const identities = await openIdentities(t)
  const { root } = identities
  const { keyId: KeyId } = await makeKey(root.kms)
  const pair = { KeyId, KeyPairSpec: 'RSA_4096' } as const
  const { errors } = await slowCalls(
    identities,
    (user) => user.kms.send(new GenerateDataKeyPairCommand(pair)),
    async () => {
      const policy = { UserName: 'slow', PolicyName: 'own' }
      await root.iam.send(new DeleteUserPolicyCommand(policy))
    },
  )
  assert.deepEqual([...new Set(errors)], ['AccessDeniedException'])
})

test('many changes at once of one user all succeed: none makes another be decided in vain', async (t) => {
  const identities = await openIdentities(t)
  const user = await identities.newUser('busy', { Action: 'kms:*' })
  const { keyId: TargetKeyId } = await makeKey(user.kms)
  const changing = Array.from({ length: 40 }, (_, index) => [
    makeKey(user.kms),
    user.kms.send(new CreateAliasCommand({ AliasName: `alias/busy-${index}`, TargetKeyId })),
    user.kms.send(new DescribeKeyCommand({ KeyId: TargetKeyId })),
    user.kms.send(new GetKeyPolicyCommand({ KeyId: TargetKeyId })),
  ])
  await Promise.all(changing.flat())
  const Tags = [{ TagKey: 'a', TagValue: 'b' }]
  await user.kms.send(new TagResourceCommand({ KeyId: TargetKeyId, Tags }))
  const { Aliases } = await user.kms.send(new ListAliasesCommand({ KeyId: TargetKeyId }))
  assert.equal(Aliases?.length, 40)
})
