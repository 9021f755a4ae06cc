/**
 * The secret of a custom key store at rest: wrapped, and bound to the store and the name it is used with.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../model/custom-key-store.ts'
import { canonicalRow } from './canonical.ts'
import type { Keyring } from './keyring.ts'
import { takeSigningSecret } from './secrets.ts'

type Wrapped = Pick<CustomKeyStoreRecord, 'wrappedSecret' | 'wrappingVersion'>

/** The name of the crypto user in AWS CloudHSM. */
const cryptoUser = 'kmsuser'

/**
 * The passwords of `kmsuser`. While a change of the password is on its way there are two, because a crash may
 * come before or after the HSM has taken the new one.
 */
export interface UserPasswords {
  /** UTF-8. */
  readonly current: Uint8Array
  readonly next?: Uint8Array
}

/** Wraps the passwords of `kmsuser`. The caller overwrites them. */
export function wrapPasswords(
  keyring: Pick<Keyring, 'wrap'>,
  store: CustomKeyStoreRef,
  { current, next = new Uint8Array() }: UserPasswords,
): Wrapped {
  const bytes = Buffer.concat([Buffer.of(current.length), current, next])
  try {
    return wrapStoreSecret(keyring, store, cryptoUser, bytes)
  } finally {
    bytes.fill(0)
  }
}

/** The caller overwrites the passwords. @throws {NotAuthentic} if the row was changed */
export function openPasswords(
  keyring: Pick<Keyring, 'unwrap'>,
  store: CustomKeyStoreRef & Wrapped,
): UserPasswords {
  const { wrappingVersion, wrappedSecret } = store
  const aad = aadOf(store, cryptoUser)
  const bytes = keyring.unwrap('key-store-secret', wrappingVersion, aad, wrappedSecret)
  const end = 1 + (bytes[0] ?? 0)
  const next = bytes.subarray(end)
  return { current: bytes.subarray(1, end), ...(next.length > 0 && { next }) }
}

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
  return takeSigningSecret(keyring.unwrap('key-store-secret', wrappingVersion, aad, wrappedSecret))
}

/** Wraps the secret under the newest domain key. @throws {NotAuthentic} if the row was changed */
export function rewrapStoreSecret(
  keyring: Pick<Keyring, 'wrap' | 'unwrap'>,
  store: CustomKeyStoreRecord,
): Wrapped {
  const name = store.type === 'AWS_CLOUDHSM' ? cryptoUser : (store.proxy?.accessKeyId ?? '')
  const aad = aadOf(store, name)
  const secret = keyring.unwrap('key-store-secret', store.wrappingVersion, aad, store.wrappedSecret)
  try {
    return wrapStoreSecret(keyring, store, name, secret)
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
