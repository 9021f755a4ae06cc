/** The seal by a key of a KMS, which is another Trent here: allowed, denied, slow, away and back. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { kmsSeal } from '../../src/seals/kms.ts'
import { openAlone, SealRefused, SealUnavailable } from '../../src/seals/seal.ts'
import { realRandom } from '../crypto/fixed.ts'
import { credentials, startTestServer, type TestServer } from '../harness.ts'
import { refusal, rootKey, sealed } from './sealed.ts'

let kms: TestServer
let arn = ''
let keyId = ''

before(async () => {
  // The SDK's usual chain finds them.
  process.env['AWS_ACCESS_KEY_ID'] = credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = credentials.secretAccessKey
  kms = await startTestServer()
  ;[arn, keyId] = await newKey()
})
after(() => kms.stop())

async function newKey(): Promise<readonly [arn: string, keyId: string]> {
  const { KeyMetadata } = await kms.client().send(new CreateKeyCommand({}))
  return [KeyMetadata?.Arn ?? '', KeyMetadata?.KeyId ?? '']
}

const sealBy = (named = arn, endpoint = kms.url, callMsMax = 10_000) =>
  kmsSeal({ arn: named, endpoint, callMsMax }, realRandom)

const unavailable = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SealUnavailable, String(error))
  assert.match(error.message, words)
  return true
}

test('a root key that a key of a KMS sealed opens with it, for this deployment only', async () => {
  const { record } = await sealed(sealBy())
  const root = await openAlone(sealBy(), record, 'deployment')
  assert.ok(root.equals(createSecretKey(rootKey)))
  await assert.rejects(openAlone(sealBy(), record, 'another'), refusal(/InvalidCiphertext/))
})

test('a record with any byte of its header or its root key changed is refused', async () => {
  const { record } = await sealed(sealBy())
  for (let index = 0; index < record.length; index += 7) {
    const changed = Uint8Array.from(record)
    changed[index] = (changed[index] ?? 0) ^ 1
    await assert.rejects(async () => openAlone(sealBy(), changed, 'deployment'), SealRefused)
  }
})

test('another key, even of the same KMS, does not open it', async () => {
  const { record } = await sealed(sealBy())
  const [other] = await newKey()
  await assert.rejects(openAlone(sealBy(other), record, 'deployment'), refusal(/IncorrectKey/))
})

test('a KMS that denies can allow again', async () => {
  const { record } = await sealed(sealBy())
  await kms.client().send(new DisableKeyCommand({ KeyId: keyId }))
  const denied = unavailable(/cannot be used with arn:\S+: DisabledException/)
  await assert.rejects(openAlone(sealBy(), record, 'deployment'), denied)
  await assert.rejects(sealed(sealBy()), denied)
  await kms.client().send(new EnableKeyCommand({ KeyId: keyId }))
  assert.ok(await openAlone(sealBy(), record, 'deployment'))
})

test('a KMS that does not answer is given up in time', async (t) => {
  const { record } = await sealed(sealBy())
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const slow = sealBy(arn, `http://127.0.0.1:${port}`, 300)
  await assert.rejects(
    openAlone(slow, record, 'deployment'),
    unavailable(/it did not answer within 0.3 seconds/),
  )
})

/** A server whose root key is sealed by the KMS; it retries until it opens. */
async function serverBy(t: TestContext, directory?: string): Promise<TestServer> {
  const settings = { TRENT_SEAL: `kms:${arn}`, TRENT_SEAL_KMS_ENDPOINT: kms.url }
  const server = await startTestServer(settings, directory === undefined ? {} : { directory })
  t.after(() => server.stop())
  return server
}

test('a server sealed by a KMS waits until the KMS allows, and keeps every key', async (t) => {
  const first = await serverBy(t)
  const sealedStatus = (await callOperator(first.directory, 'GetStatus')) as object
  assert.partialDeepStrictEqual(sealedStatus, {
    sealed: true,
    seal: { kind: 'kms', initialized: false },
  })
  await assert.rejects(callOperator(first.directory, 'Unseal', { secret: 'x' }), /`trent init`/)
  await callOperator(first.directory, 'Initialize')
  await first.server.ready
  const { KeyMetadata } = await first.client().send(new CreateKeyCommand({}))
  await first.stop('keep')

  await kms.client().send(new DisableKeyCommand({ KeyId: keyId }))
  const second = await serverBy(t, first.directory)
  let status: unknown = {}
  for (let tries = 0; tries < 100 && !JSON.stringify(status).includes('reason'); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    status = await callOperator(second.directory, 'GetStatus')
  }
  assert.partialDeepStrictEqual(status, { sealed: true, ready: false })
  assert.match(JSON.stringify(status), /cannot be used with arn:\S+: DisabledException/)
  await assert.rejects(
    callOperator(second.directory, 'Unseal', { secret: 'x' }),
    /opens its seal by itself, and it has no recovery seal; `trent status` says why/,
  )
  await kms.client().send(new EnableKeyCommand({ KeyId: keyId }))
  await second.server.ready
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('x') }
  assert.ok((await second.client().send(new EncryptCommand(input))).CiphertextBlob)
})
