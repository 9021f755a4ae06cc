/**
 * A proxy that misbehaves: AWS's code and sentence in each of the three places where it is asked, and the
 * code of the connection. The sentences are those of the specification.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms'
import { newProxyKey } from '../keystores/external/fake-proxy.ts'
import { letProxiesBeLate } from '../keystores/external/patience.ts'
import { said } from './external-answers.ts'
import { answering, failureKinds, tlsFailures, type Answers } from './external-failures.ts'
import {
  connect,
  disconnect,
  entryOf,
  makeExternalKey,
  makeStore,
  startExternalWorld,
  type ExternalWorld,
} from './external-store.ts'
import { recordsOf } from './records.ts'
import { refused } from './sdk.ts'

/** A connected store with one key, and a ciphertext under it. */
async function usable(world: ExternalWorld): Promise<{
  readonly storeId: string
  readonly KeyId: string
  readonly CiphertextBlob: Uint8Array
}> {
  const { kms, proxy } = world
  proxy.keys.set('key-2', newProxyKey())
  const storeId = await makeStore(kms)
  await connect(world, storeId)
  const KeyId = await makeExternalKey(kms, storeId)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.of(1) }))
  return { storeId, KeyId, CiphertextBlob: CiphertextBlob ?? new Uint8Array() }
}

test('each failure of a proxy has its code in each place, and one sentence in all', async (t) => {
  const { kinds, authorities } = await tlsFailures()
  const world = await startExternalWorld(t, { authorities })
  const { kms, proxy } = world
  const { storeId: CustomKeyStoreId, KeyId, CiphertextBlob } = await usable(world)
  const honest = proxy.answers
  let isLate = false
  // Only the proxy that does not answer at all may be late: others would be, on a slow machine.
  letProxiesBeLate(t, () => !isLate)
  for (const [name, how, store, createKey, connection] of [...failureKinds, ...kinds]) {
    const fails = async (work: Promise<unknown>, code: string): Promise<void> => {
      const error: unknown = await work.then(
        () => assert.fail(`${name}: ${code} is expected`),
        (reason: unknown) => reason,
      )
      assert(error instanceof Error)
      assert.equal(error.name, code, name)
      assert(!error.message.includes('a sentence of the proxy'), name)
      assert.equal(error.message, said[name], name)
    }
    if (typeof how === 'function') proxy.answers = how
    else proxy.offer(how.tls)
    isLate = name === 'AWS KMS encounters a socket timeout'
    const use = 'KMSInvalidStateException'
    await fails(kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.of(1) })), use)
    await fails(kms.send(new DecryptCommand({ CiphertextBlob })), use)
    const Origin = 'EXTERNAL_KEY_STORE'
    await fails(
      kms.send(new CreateKeyCommand({ Origin, CustomKeyStoreId, XksKeyId: 'key-2' })),
      createKey,
    )
    await fails(
      kms.send(
        new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, XksProxyUriPath: '/new/kms/xks/v1' }),
      ),
      store,
    )
    // A connected store stays connected while its proxy fails.
    assert.equal((await entryOf(kms, CustomKeyStoreId)).ConnectionState, 'CONNECTED')
    await disconnect(world, CustomKeyStoreId)
    assert.equal(await connect(world, CustomKeyStoreId), connection, name)
    proxy.answers = honest
    proxy.offer({})
    isLate = false
    await disconnect(world, CustomKeyStoreId)
    assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
    await kms.send(new DecryptCommand({ CiphertextBlob }))
  }
})

test('an answer that breaks the specification anywhere is not believed', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const { KeyId, CiphertextBlob } = await usable(world)
  const uninterpretable =
    'AWS KMS cannot interpret the response from the external key store proxy. ' +
    'If you see this error repeatedly, report it to your external key store proxy administrator.'
  const changed =
    (change: (body: Record<string, unknown>) => unknown): Answers =>
    (_path, answer) => {
      const { body } = answer()
      return { body: change({ ...(body as Record<string, unknown>) }) }
    }
  const bytes = (value: unknown): Buffer => Buffer.from(String(value), 'base64')
  const flipped = (value: unknown): string => {
    const copy = bytes(value)
    copy[0] = (copy[0] ?? 0) ^ 1
    return copy.toString('base64')
  }
  const encryptions: readonly Answers[] = [
    changed(({ ciphertextDataIntegrityValue: _left, ...body }) => body),
    changed((body) => ({ ...body, ciphertext: flipped(body['ciphertext']) })),
    changed((body) => ({ ...body, authenticationTag: flipped(body['authenticationTag']) })),
    changed((body) => ({ ...body, initializationVector: 'AAAA' })),
    changed((body) => ({ ...body, ciphertextMetadata: Buffer.alloc(21).toString('base64') })),
    changed((body) => ({ ...body, ciphertext: `${String(body['ciphertext'])}====` })),
    changed((body) => ({ ...body, ciphertext: 7 })),
    changed(() => []),
    (_path, answer) => ({ ...answer(), status: 201 }),
    (_path, answer) => ({
      ...answer(),
      body: `${JSON.stringify(answer().body)} ` + ' '.repeat(70_000),
    }),
    () => ({ status: 200, body: '{"ciphertext":"AA==","ciphertext":"AA=="}' }),
    answering(401, 'ValidationException'),
    answering(400, 'SomethingElse'),
  ]
  for (const [index, answers] of encryptions.entries()) {
    proxy.answers = answers
    await refused(
      kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.of(1) })),
      'KMSInvalidStateException',
      uninterpretable,
    ).catch((error: unknown) => {
      throw new Error(`answer ${index}`, { cause: error })
    })
  }
  for (const answers of [
    changed((body) => ({ plaintext: `${String(body['plaintext'])}AAAA` })),
    changed(() => ({})),
  ]) {
    proxy.answers = answers
    await refused(
      kms.send(new DecryptCommand({ CiphertextBlob })),
      'KMSInvalidStateException',
      uninterpretable,
    )
  }
  // A plaintext that the key manager has changed fails Trent's own check.
  proxy.answers = changed((body) => ({ plaintext: flipped(body['plaintext']) }))
  const submitted =
    'The ciphertext that the external key store proxy submitted for decryption, or the encryption ' +
    'context, is corrupted, missing, or otherwise invalid.'
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    submitted,
  )
})

test('a wrong encryption context is refused by the proxy, and the record names store and key', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, server } = world
  const { storeId, KeyId, CiphertextBlob } = await usable(world)
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { wrong: 'context' } })),
    'KMSInvalidStateException',
    'The external key store proxy rejected the request because the specified ciphertext or encryption ' +
      'context is corrupted, missing, or otherwise invalid.',
  )
  await kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))
  const records = await recordsOf(server.directory)
  const decrypts = records.filter(({ eventName }) => eventName === 'Decrypt')
  const additional = (record: object | undefined): object =>
    (record as { additionalEventData: object }).additionalEventData
  assert.deepEqual(additional(decrypts[0]), { customKeyStoreId: storeId, xksKeyId: 'key-1' })
  const { keyMaterialId, ...success } = additional(decrypts[1]) as Record<string, unknown>
  assert.match(String(keyMaterialId), /^[0-9a-f]{64}$/)
  assert.deepEqual(success, { customKeyStoreId: storeId, xksKeyId: 'key-1' })
  const [connecting] = records.filter(
    ({ eventName, eventType }) =>
      eventName === 'ConnectCustomKeyStore' && eventType === 'AwsApiCall',
  )
  assert.deepEqual(
    [connecting?.requestParameters, additional(connecting)],
    [{ customKeyStoreId: storeId }, { customKeyStoreName: 'external' }],
  )
})

test('a kept connection that the proxy closed is replaced once, inside of the same call', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const { CiphertextBlob } = await usable(world)
  const before = proxy.connections
  for (let count = 0; count < 5; count += 1) await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(proxy.connections, before)
  let resets = 1
  const honest = proxy.answers
  proxy.answers = (path, answer) => {
    resets -= 1
    return resets < 0 ? honest(path, answer) : 'reset'
  }
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(proxy.connections, before + 1)
})
