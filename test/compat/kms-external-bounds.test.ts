/**
 * The bounds of what a proxy says about its health and its keys: the last answer that is believed, and the first
 * that is not.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateKeyCommand, UpdateCustomKeyStoreCommand } from '@aws-sdk/client-kms'
import { newProxyKey, type FakeProxy } from '../keystores/external/fake-proxy.ts'
import { said } from './external-answers.ts'
import {
  connect,
  disconnect,
  entryOf,
  makeStore,
  startExternalWorld,
  storeSettings,
} from './external-store.ts'
import { refused } from './sdk.ts'

type Body = Readonly<Record<string, unknown>>

const malformed = said['Proxy returns a malformed response']
const unhealthy =
  'The external key store proxy is in an unhealthy state. If you see this message repeatedly, notify ' +
  'your external key store proxy administrator.'

/** Changes the members of an answer. */
const changed =
  (change: (body: Body) => Body): FakeProxy['answers'] =>
  (_path, answer) => ({ body: change(answer().body as Body) })

const managers = (...healths: readonly string[]): Body => ({
  ekmFleetDetails: healths.map((healthStatus, at) => ({
    id: `hsm-${at}`,
    model: 'm',
    healthStatus,
  })),
})
const tenActive = Array<string>(10).fill('ACTIVE')

/** An answer about health that the specification forbids. */
const wrongHealth: readonly Body[] = [
  { xksProxyFleetSize: 0 },
  { xksProxyFleetSize: -1 },
  { xksProxyFleetSize: 1.5 },
  { xksProxyFleetSize: '2' },
  { xksProxyVendor: undefined },
  { xksProxyModel: '' },
  { ekmVendor: 'x'.repeat(129) },
  { ekmFleetDetails: undefined },
  { ekmFleetDetails: {} },
  { ekmFleetDetails: [null] },
  managers(),
  managers(...tenActive, 'ACTIVE'),
  managers('ACTIVE', 'WELL'),
  { ekmFleetDetails: [{ id: 'hsm-1', healthStatus: 'ACTIVE' }] },
  { ekmFleetDetails: [{ model: 'm', healthStatus: 'ACTIVE' }] },
]

test('a proxy whose answer about health breaks the specification is not connected', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const honest = proxy.answers
  for (const [index, wrong] of wrongHealth.entries()) {
    proxy.answers = changed((body) => ({ ...body, ...wrong }))
    await refused(makeStore(kms), 'XksProxyInvalidResponseException', malformed).catch(
      (cause: unknown) => {
        throw new Error(`answer ${index}`, { cause })
      },
    )
  }
  proxy.answers = honest
  const storeId = await makeStore(kms)
  proxy.answers = changed((body) => ({ ...body, ...managers() }))
  assert.equal(await connect(world, storeId), 'XKS_PROXY_INVALID_RESPONSE')
})

test('a proxy without any available key manager is away, and one manager is enough', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const answering = (...healths: readonly string[]): void => {
    proxy.answers = changed((body) => ({ ...body, ...managers(...healths) }))
  }
  const away = 'XksProxyUriUnreachableException'
  answering('UNAVAILABLE', 'UNAVAILABLE')
  await refused(makeStore(kms), away, unhealthy)
  answering('UNAVAILABLE', 'DEGRADED')
  const CustomKeyStoreId = await makeStore(kms)
  const { XksProxyAuthenticationCredential } = storeSettings
  const update = new UpdateCustomKeyStoreCommand({
    CustomKeyStoreId,
    XksProxyAuthenticationCredential,
  })
  answering('UNAVAILABLE')
  await refused(kms.send(update), away, unhealthy)
  assert.equal(await connect(world, CustomKeyStoreId), 'XKS_PROXY_NOT_REACHABLE')
  await disconnect(world, CustomKeyStoreId)
  answering(...tenActive.with(3, 'UNAVAILABLE'))
  assert.equal(await connect(world, CustomKeyStoreId), 'CONNECTED')
  // It stays connected whatever becomes of the key managers.
  answering('UNAVAILABLE')
  assert.equal((await entryOf(kms, CustomKeyStoreId)).ConnectionState, 'CONNECTED')
})

test('an external key is a usable AES-256 key, or no KMS key is made of it', async (t) => {
  const world = await startExternalWorld(t)
  const { kms, proxy } = world
  const CustomKeyStoreId = await makeStore(kms)
  await connect(world, CustomKeyStoreId)
  const make = (XksKeyId: string): Promise<unknown> =>
    kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId }))
  const ten = ['ENCRYPT', 'DECRYPT', ...Array.from({ length: 8 }, (_, at) => `USE_${at}`)]
  proxy.keys.set('ten', newProxyKey({ keyUsage: ten }))
  await make('ten')
  const unfit = [
    { keySpec: 'AES_128' },
    { keyUsage: [] },
    { keyUsage: ['ENCRYPT'] },
    { keyUsage: ['DECRYPT', 'WRAP'] },
    { keyStatus: 'DISABLED' },
    { keyStatus: 'PENDING' },
  ]
  for (const [index, of] of unfit.entries()) {
    proxy.keys.set(`unfit-${index}`, newProxyKey(of))
    await assert.rejects(make(`unfit-${index}`), { name: 'XksKeyInvalidConfigurationException' })
  }
  const wrong: readonly Body[] = [
    { keyUsage: [...ten, 'MORE'] },
    { keyUsage: 'ENCRYPT,DECRYPT' },
    { keyUsage: [1] },
    { keySpec: undefined },
    { keyStatus: 7 },
    // Callers would read these in a message.
    { keySpec: '\u001b[2JAES_128' },
    { keyUsage: ['ENCRYPT', 'DECRYPT\n'] },
    { keyStatus: '\u202eDELBANE' },
  ]
  proxy.keys.set('right', newProxyKey())
  const honest = proxy.answers
  for (const each of wrong) {
    proxy.answers = changed((body) => ({ ...body, ...each }))
    await refused(make('right'), 'CustomKeyStoreInvalidStateException', malformed)
  }
  proxy.answers = honest
  await make('right')
})
