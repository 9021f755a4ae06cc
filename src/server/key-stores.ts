/** The key stores of one worker: the built-in one, and the external ones behind their proxies. @module */
import type { Lookup } from '../cache/cached-records.ts'
import type { Config } from '../config.ts'
import { createBuiltinKeyStore, type BuiltinKeyStore } from '../keystores/builtin/builtin.ts'
import { createProxyMessages, type ProxyMessages } from '../keystores/builtin/proxy-messages.ts'
import { createExternalKeyStores, type ExternalKeyStores } from '../keystores/external/external.ts'
import { createKeyStoreSecrets, type KeyStoreSecrets } from '../keystores/external/proxy-address.ts'
import { createProxyClient } from '../keystores/external/proxy-client.ts'
import type { KeyStore, StoreCall } from '../keystores/keystore.ts'
import { measuredKeyStore } from '../metrics/measured.ts'
import type { KeyRecord } from '../model/key.ts'
import type { WorkerParts } from './parts.ts'

export interface KeyStores {
  readonly keyStoreOf: (key: Pick<KeyRecord, 'origin'>, call: StoreCall) => KeyStore
  readonly externalKeyStores: ExternalKeyStores
  readonly keyStoreSecrets: KeyStoreSecrets
  readonly proxyMessages: ProxyMessages
  /** Closes the connections to proxies. */
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

export function openKeyStores(
  { externalProxies }: Pick<Config, 'externalProxies'>,
  { keyring, clock, random, store }: Pick<WorkerParts, 'keyring' | 'clock' | 'random' | 'store'>,
  { builtin, lookup }: { readonly builtin: BuiltinKeyStore; readonly lookup: Lookup },
): KeyStores {
  // A proxy compares the time of a signature with its own clock.
  const proxies = createProxyClient(externalProxies, () => clock.system())
  const externalKeyStores = createExternalKeyStores({
    proxies,
    materials: builtin.materials,
    random,
    async connectedProxy(ref) {
      const found = await lookup.keyStore(ref)
      if (found?.record.connection !== 'CONNECTED') return undefined
      const { record, signingSecret } = found
      if (record.proxy === undefined || signingSecret === undefined) return undefined
      const { endpoint, path, accessKeyId } = record.proxy
      return { endpoint, path, region: record.region, accessKeyId, signingSecret }
    },
  })
  return {
    keyStoreOf: ({ origin }, call) =>
      origin === 'EXTERNAL_KEY_STORE'
        ? { ...builtin, ...externalKeyStores.forCall(call) }
        : builtin,
    externalKeyStores,
    keyStoreSecrets: createKeyStoreSecrets(keyring),
    proxyMessages: createProxyMessages({
      materials: builtin.materials,
      random,
      listMaterials: (accountId, keyId) => store.listMaterials(accountId, keyId),
    }),
    close: () => proxies.close(),
  }
}
