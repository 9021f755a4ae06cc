/**
 * The secret of a custom key store at rest: wrapped, and bound to the store and the name it is used with.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../model/custom-key-store.ts'
import { canonicalRow } from './canonical.ts'
import { takeSecretKey } from './derive.ts'
import type { Keyring } from './keyring.ts'

type Wrapped = Pick<CustomKeyStoreRecord, 'wrappedSecret' | 'wrappingVersion'>

const signingPrefix = Buffer.from('AWS4')

/** @param name the access key id, or the name of the crypto user. The caller overwrites `secret`. */
export function wrapStoreSecret(
  keyring: Pick<Keyring, 'wrap'>,
  store: CustomKeyStoreRef,
  name: string,
  secret: Uint8Array,
): Wrapped {
  const { version, wrapped } = keyring.wrap('key-store-secret', aadOf(store, name), secret)
  return { wrappingVersion: version, wrappedSecret: wrapped }
}

/**
 * Returns "AWS4" ‖ secret, the key from which Signature Version 4 derives its keys.
 * @throws {NotAuthentic} if the row was changed
 */
export function openProxySecret(
  keyring: Pick<Keyring, 'unwrap'>,
  store: CustomKeyStoreRef & Wrapped,
  accessKeyId: string,
): KeyObject {
  const { wrappingVersion, wrappedSecret } = store
  const aad = aadOf(store, accessKeyId)
  const secret = keyring.unwrap('key-store-secret', wrappingVersion, aad, wrappedSecret)
  try {
    return takeSecretKey(Buffer.concat([signingPrefix, secret]))
  } finally {
    secret.fill(0)
  }
}

/** Wraps the secret under the newest domain key. @throws {NotAuthentic} if the row was changed */
export function rewrapStoreSecret(
  keyring: Pick<Keyring, 'wrap' | 'unwrap'>,
  store: CustomKeyStoreRecord,
): Wrapped {
  // A store of another type has another name here: it must not be left behind silently.
  if (store.proxy === undefined)
    throw new TypeError('a key store without a proxy cannot be re-wrapped')
  const { accessKeyId } = store.proxy
  const aad = aadOf(store, accessKeyId)
  const secret = keyring.unwrap('key-store-secret', store.wrappingVersion, aad, store.wrappedSecret)
  try {
    return wrapStoreSecret(keyring, store, accessKeyId, secret)
  } finally {
    secret.fill(0)
  }
}

function aadOf({ accountId, region, storeId }: CustomKeyStoreRef, name: string): Buffer {
  return canonicalRow('custom_key_stores', {
    account_id: accountId,
    region,
    store_id: storeId,
    name,
  })
}
