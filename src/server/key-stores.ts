/**
 * The key stores of one worker: the built-in one, those in HSMs, and the external ones behind their proxies.
 * @module
 */
import type { Lookup } from '../cache/cached-records.ts'
import type { Config } from '../config.ts'
import { createBuiltinKeyStore, type BuiltinKeyStore } from '../keystores/builtin/builtin.ts'
import { createProxyMessages, type ProxyMessages } from '../keystores/builtin/proxy-messages.ts'
import { createExternalKeyStores, type ExternalKeyStores } from '../keystores/external/external.ts'
import {
  addressWith,
  createKeyStoreSecrets,
  type KeyStoreSecrets,
} from '../keystores/external/proxy-address.ts'
import { createProxyClient } from '../keystores/external/proxy-client.ts'
import { createHsmKeyStores, type HsmKeyStores } from '../keystores/hsm/hsm.ts'
import { failureOf } from '../keystores/hsm/hsm-failure.ts'
import { createClusterChecks, type ClusterChecks } from '../keystores/hsm/require-cluster.ts'
import type { KeyPlace, KeyStore, StoreCall } from '../keystores/keystore.ts'
import { noteCall, type KeyStoreFigures } from '../lifecycle/key-store-figures.ts'
import { measuredKeyStore } from '../metrics/measured.ts'
import { libraryEnvironment } from '../pkcs11/library-environment.ts'
import type { TokenError } from '../pkcs11/token-error.ts'
import type { CustomKeyStoreRef } from '../model/custom-key-store.ts'
import { onceInAWhile } from './once-in-a-while.ts'
import type { WorkerParts } from './parts.ts'

export interface KeyStores {
  readonly keyStoreOf: (key: KeyPlace, call: StoreCall) => KeyStore
  readonly externalKeyStores: ExternalKeyStores
  readonly keyStoreSecrets: KeyStoreSecrets
  readonly proxyMessages: ProxyMessages
  readonly hsmKeyStores: HsmKeyStores
  readonly hsmClusters: ClusterChecks
  /** Closes the connections to proxies and HSMs. */
  readonly close: () => void
}

/** @param cachedKeys number of materials that may be open */
export function openBuiltin(
  { keyring, clock, random, meter, log }: WorkerParts,
  cachedKeys: number,
  lookup: Pick<Lookup, 'material'>,
): BuiltinKeyStore {
  const unmeasured = createBuiltinKeyStore({
    keyring,
    clock,
    random,
    handles: { max: cachedKeys },
    findMaterial: async (materialId) => lookup.material(materialId),
    onForgedMaterial: (materialId) => {
      meter.forged('material')
      log.error({ materialId }, 'a key material fails to open')
    },
  })
  return {
    ...measuredKeyStore(unmeasured, meter.worked),
    materials: unmeasured.materials,
    forget: (materialId) => unmeasured.forget(materialId),
    close: () => unmeasured.close(),
  }
}

interface KeyStoreParts {
  readonly builtin: BuiltinKeyStore
  readonly lookup: Lookup
  readonly keyStoreFigures: Pick<KeyStoreFigures, 'note'>
}

const dayMs = 86_400_000

/** Period in which a worker looks for HSMs to log out of, in milliseconds. */
const sweptEveryMs = 5000

export function openKeyStores(
  config: Pick<Config, 'externalProxies' | 'hsmClusters' | 'sealOptions'>,
  parts: Pick<WorkerParts, 'store' | 'keyring' | 'clock' | 'random' | 'meter' | 'log'>,
  { builtin, lookup, keyStoreFigures }: KeyStoreParts,
): KeyStores {
  const { externalProxies } = config
  const { store, keyring, clock, random } = parts
  // A proxy compares the time of a signature with its own clock.
  const proxies = createProxyClient(
    externalProxies,
    () => clock.system(),
    ({ store: seen }, { name, validTo }) => {
      if (seen === undefined) return
      const days = Math.floor((validTo - clock.system()) / dayMs)
      const figure = 'XksProxyCertificateDaysToExpire'
      keyStoreFigures.note({ store: seen, name: figure, dimensions: [name], value: days })
    },
  )
  const externalKeyStores = createExternalKeyStores({
    proxies,
    materials: builtin.materials,
    random,
    onCall: (call) => {
      parts.meter.askedProxy(call)
      noteCall(call, keyStoreFigures)
    },
    async connectedProxy(ref) {
      const found = await lookup.keyStore(ref)
      if (found?.record.connection !== 'CONNECTED') return undefined
      const { record, signingSecret } = found
      const { proxy } = record
      if (proxy === undefined || signingSecret === undefined) return undefined
      return addressWith(signingSecret, { ...ref, proxy })
    },
  })
  const hsms = openHsms(config, parts, { builtin, lookup })
  const { hsmKeyStores } = hsms
  return {
    keyStoreOf: (place, call) => {
      if (place.origin === 'EXTERNAL_KEY_STORE') {
        return { ...builtin, ...externalKeyStores.forCall(call) }
      }
      if (place.origin !== 'AWS_CLOUDHSM') return builtin
      return { ...builtin, ...hsmKeyStores.methods(storeIn(place)) }
    },
    externalKeyStores,
    keyStoreSecrets: createKeyStoreSecrets(keyring),
    proxyMessages: createProxyMessages({
      materials: builtin.materials,
      random,
      listMaterials: (accountId, keyId) => store.listMaterials(accountId, keyId),
    }),
    ...hsms,
    close: () => {
      proxies.close()
      hsms.close()
    },
  }
}

function storeIn({
  accountId,
  region,
  customKeyStoreId: storeId,
}: KeyPlace): CustomKeyStoreRef | undefined {
  return accountId === undefined || region === undefined || storeId === undefined
    ? undefined
    : { accountId, region, storeId }
}

function openHsms(
  { hsmClusters: clusters, sealOptions }: Pick<Config, 'hsmClusters' | 'sealOptions'>,
  {
    store,
    keyring,
    clock,
    random,
    meter,
    log,
  }: Pick<WorkerParts, 'store' | 'keyring' | 'clock' | 'random' | 'meter' | 'log'>,
  { builtin, lookup }: { readonly builtin: BuiltinKeyStore; readonly lookup: Lookup },
): Pick<KeyStores, 'hsmKeyStores' | 'hsmClusters' | 'close'> {
  const environment = libraryEnvironment(sealOptions.pkcs11Environment ?? [])
  // Callers decide how often an HSM fails.
  const warn = onceInAWhile((code: string, where: object, err: Error) =>
    log.warn({ ...where, code, err }, 'an HSM failed'),
  )
  const hsmKeyStores = createHsmKeyStores({
    clusters,
    environment,
    keyring,
    clock,
    random,
    materials: builtin.materials,
    createMaterial: (material, signal) => builtin.createMaterial(material, signal),
    cachedKeyStore: async (ref) => (await lookup.keyStore(ref))?.record,
    findKeyStore: (ref) => store.findKeyStore(ref),
    noteObject: (object) => store.noteHsmObject(object),
    onCall: ({ storeId, operation, milliseconds, error }) => {
      const failure = error && failureOf(error)
      meter.askedHsm({ operation, milliseconds, ...(failure && { failure }) })
      if (error !== undefined) warn(error.code, { storeId }, error)
    },
  })
  const onFailure = (error: TokenError, { clusterId }: { readonly clusterId: string }): void =>
    warn(error.code, { clusterId }, error)
  const timer = setInterval(() => {
    hsmKeyStores.sweep().catch((err: unknown) => log.warn({ err }, 'HSMs are not logged out'))
  }, sweptEveryMs)
  timer.unref()
  return {
    hsmKeyStores,
    hsmClusters: createClusterChecks({ clusters, environment, onFailure }),
    close: () => {
      clearInterval(timer)
      hsmKeyStores.close()
    },
  }
}
