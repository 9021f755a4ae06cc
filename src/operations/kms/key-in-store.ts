/** Checks for a new key in a custom key store. @module */
import { KmsError } from '../../errors.ts'
import { notConnected } from '../../keystores/external/external.ts'
import type { CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { KeyRef } from '../../model/key.ts'
import type { Transaction } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { notFound, requireKeyStore } from './key-stores.ts'

interface InStore {
  readonly customKeyStoreId: string
  readonly xksKeyId: string
}

/**
 * The custom key store that CreateKey names, once its external key has proved fit; undefined if the key is
 * made in Trent.
 * @throws {KmsError}
 */
export async function requireCustomKeyStore(
  call: Call<{ readonly CustomKeyStoreId?: string; readonly XksKeyId?: string }, never>,
  { store, externalKeyStores }: Pick<OperationDependencies, 'store' | 'externalKeyStores'>,
): Promise<InStore | undefined> {
  const { CustomKeyStoreId: customKeyStoreId, XksKeyId: xksKeyId } = call.input
  if (customKeyStoreId === undefined) return undefined
  const found = await requireKeyStore(store, call, customKeyStoreId)
  if (xksKeyId === undefined || found.type !== 'EXTERNAL_KEY_STORE') {
    throw new KmsError(
      'ValidationException',
      `Custom key store ${customKeyStoreId} is not of the type that the Origin needs.`,
    )
  }
  await requireUnused(store, found, xksKeyId)
  await externalKeyStores.requireKey(xksKeyId, found, call, call.signal)
  return { customKeyStoreId, xksKeyId }
}

/**
 * The same as of now, inside of the transaction that creates the key.
 * @throws {KmsError} `CustomKeyStoreNotFoundException`, `CustomKeyStoreInvalidStateException`,
 *   `XksKeyAlreadyInUseException`
 */
export async function requireFreeExternalKey(
  transaction: Transaction,
  { accountId, region }: KeyRef,
  { customKeyStoreId: storeId, xksKeyId }: InStore,
): Promise<void> {
  const found = await transaction.findKeyStore({ accountId, region, storeId })
  if (found === undefined) throw notFound(storeId)
  if (found.connection !== 'CONNECTED') throw notConnected('CustomKeyStoreInvalidStateException')
  await requireUnused(transaction, found, xksKeyId)
}

async function requireUnused(
  reads: Pick<Transaction, 'listKeysInStore'>,
  store: CustomKeyStoreRef,
  xksKeyId: string,
): Promise<void> {
  const [user] = await reads.listKeysInStore(store, { xksKeyId, limit: 1 })
  if (user === undefined) return
  throw new KmsError(
    'XksKeyAlreadyInUseException',
    `The external key ${xksKeyId} is already associated with another KMS key in this external key store.`,
  )
}
