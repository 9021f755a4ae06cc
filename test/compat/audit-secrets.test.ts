/** Secrets that were planted in calls: none is in any record, log line, refusal or file of the server. @module */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { credentials, databaseUrlOf, startTestServer, type TestServer } from '../harness.ts'
import { headerOf } from '../authenticate/signer.ts'
import { recordTexts } from './records.ts'
import { makeKey } from './sdk.ts'
import { callByHand, send, signedCall } from './signed-http.ts'
import { storedValues } from './stored.ts'

const planted = 'planted-secret-3141592653589793'
const Plaintext = Buffer.from(`${planted}!`)

/** Every way in which bytes could have been written down. */
function spellings(bytes: Uint8Array): readonly Buffer[] {
  const buffer = Buffer.from(bytes)
  const texts = (['base64', 'base64url', 'hex'] as const).map((encoding) =>
    buffer.toString(encoding),
  )
  const list = JSON.stringify([...buffer]).slice(1, -1)
  return [buffer, ...[...texts, list].map((text) => Buffer.from(text))]
}

interface Secret {
  readonly what: string
  readonly spelt: readonly Buffer[]
}

/** Uses a key in every way that has a secret in it, allowed and refused; answers those and the error bodies. */
async function useSecrets(server: TestServer): Promise<readonly [Secret[], string[]]> {
  const kms = server.client()
  const { port } = server
  const { keyId: KeyId } = await makeKey(kms)
  const sealed = (await kms.send(new EncryptCommand({ KeyId, Plaintext }))).CiphertextBlob
  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  const random = await kms.send(new GenerateRandomCommand({ NumberOfBytes: 32 }))
  const moved = await kms.send(
    new ReEncryptCommand({ CiphertextBlob: sealed, DestinationKeyId: KeyId }),
  )
  await kms.send(new DecryptCommand({ CiphertextBlob: sealed }))
  assert(sealed && dataKey.Plaintext && dataKey.CiphertextBlob && random.Plaintext)
  assert(moved.CiphertextBlob)

  const refusals: string[] = []
  const base64 = Plaintext.toString('base64')
  const blob = Buffer.from(sealed).toString('base64')
  for (const [operation, input] of [
    ['Encrypt', { KeyId: 'alias/nowhere', Plaintext: base64 }],
    ['Encrypt', { KeyId, Plaintext: base64.repeat(200) }],
    ['Encrypt', { KeyId, Plaintext: planted }],
    ['Encrypt', { KeyId, Plaintext: base64, DryRun: true }],
    ['Decrypt', { CiphertextBlob: blob, EncryptionContext: { a: 'b' } }],
    ['Decrypt', { CiphertextBlob: blob, KeyId: 'alias/nowhere' }],
    ['Decrypt', { CiphertextBlob: blob, DryRun: true }],
    ['Decrypt', { CiphertextBlob: `${blob}!` }],
    ['Decrypt', { CiphertextBlob: blob, GrantTokens: ['x'] }],
    ['ReEncrypt', { CiphertextBlob: blob, DestinationKeyId: 'alias/nowhere' }],
    ['NoSuchOperation', { Plaintext: base64 }],
  ] as const) {
    const body = JSON.stringify(input)
    const answer = await callByHand(port, operation, { body })
    assert.equal(answer.status, 400, operation)
    refusals.push(answer.text)
  }
  const request = await signedCall(port, 'ListKeys')
  const authorization = headerOf(request, 'authorization')
  await send({ port }, request)
  const token = 'planted-session-token-2718281828'
  refusals.push((await callByHand(port, 'ListKeys', { sessionToken: token })).text)
  refusals.push((await callByHand(port, 'ListKeys', { secret: 'another-secret' })).text)

  const secrets = [
    ['the plaintext', Plaintext],
    ['its first part', Buffer.from(planted)],
    ['the ciphertext', sealed],
    ['the moved ciphertext', moved.CiphertextBlob],
    ['the data key', dataKey.Plaintext],
    ['the sealed data key', dataKey.CiphertextBlob],
    ['the random bytes', random.Plaintext],
    ['the secret access key', Buffer.from(credentials.secretAccessKey)],
    ['a signature', Buffer.from(authorization.split('Signature=')[1] ?? 'none')],
    ['a session token', Buffer.from(token)],
  ] as const
  return [secrets.map(([what, bytes]) => ({ what, spelt: spellings(bytes) })), refusals]
}

function requireNone(secrets: readonly Secret[], where: string, haystack: Buffer): void {
  for (const { what, spelt } of secrets) {
    assert(!spelt.some((needle) => haystack.includes(needle)), `${what} is in ${where}`)
  }
}

test('no plaintext, ciphertext, secret or signature is recorded, logged, said or stored', async () => {
  const server = await startTestServer()
  const [secrets, refusals] = await useSecrets(server)
  const records = await recordTexts(server.directory)
  assert(records.length > 15)
  await server.stop('keep')
  requireNone(secrets, 'a record', Buffer.from(records.join('\n')))
  requireNone(secrets, 'the log', Buffer.from(server.logged.join('\n')))
  requireNone(secrets, 'a refusal', Buffer.from(refusals.join('\n')))
  requireNone(secrets, 'a row', await storedValues(server.directory))
  let files = 0
  for (const entry of await readdir(server.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    requireNone(secrets, path, await readFile(path))
    files += 1
  }
  assert(files >= 3, 'the database, the seal and the journal have been looked at')
  await server.stop()
})

test('what is looked for is found where it may be: a planted description is in record and database', async () => {
  const server = await startTestServer()
  await server.client().send(new CreateKeyCommand({ Description: planted }))
  await server.stop('keep')
  const secrets = [{ what: 'the description', spelt: [Buffer.from(planted)] }]
  const records = Buffer.from((await recordTexts(server.directory)).join('\n'))
  assert.throws(() => requireNone(secrets, 'a record', records), /the description is in a record/)
  const values = await storedValues(server.directory)
  assert.throws(() => requireNone(secrets, 'a row', values), /the description is in a row/)
  if (databaseUrlOf(server.directory) === undefined) {
    const file = await readFile(join(server.directory, 'trent.db'))
    assert.throws(() => requireNone(secrets, 'the database', file), /is in the database/)
  }
  await server.stop()
})
