/** The secrets of external key stores, and the addresses that they are used with. @module */
import type { KeyObject } from 'node:crypto'
import { openProxySecret, wrapStoreSecret } from '../../crypto/key-store-secret.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type {
  CustomKeyStoreRecord,
  CustomKeyStoreRef,
  XksProxy,
} from '../../model/custom-key-store.ts'
import type { ProxyAddress } from './proxy-client.ts'

type Wrapped = Pick<CustomKeyStoreRecord, 'wrappedSecret' | 'wrappingVersion'>

export interface KeyStoreSecrets {
  /** Wraps the secret of a proxy's credential for a row. */
  wrap(store: CustomKeyStoreRef, accessKeyId: string, secret: string): Wrapped
  /** @throws {NotAuthentic} if the row was changed */
  addressOf(store: CustomKeyStoreRef & Wrapped & { readonly proxy: XksProxy }): ProxyAddress
}

export function createKeyStoreSecrets(keyring: Pick<Keyring, 'wrap' | 'unwrap'>): KeyStoreSecrets {
  return {
    wrap(store, accessKeyId, secret) {
      const bytes = Buffer.from(secret)
      try {
        return wrapStoreSecret(keyring, store, accessKeyId, bytes)
      } finally {
        bytes.fill(0)
      }
    },
    addressOf(store) {
      return addressWith(openProxySecret(keyring, store, store.proxy.accessKeyId), store)
    },
  }
}

/** The address of a key store's proxy, with the opened secret of its credential. */
export function addressWith(
  signingSecret: KeyObject,
  { accountId, region, storeId, proxy }: CustomKeyStoreRef & { readonly proxy: XksProxy },
): ProxyAddress {
  const { endpoint, path, vpcServiceName, accessKeyId } = proxy
  return {
    endpoint,
    path,
    ...(vpcServiceName !== undefined && { vpcServiceName }),
    region,
    accessKeyId,
    store: { accountId, region, storeId },
    signingSecret,
  }
}
