/** Checks for a new key in a custom key store. @module */
import { KmsError } from '../../errors.ts'
import { notConnected } from '../../keystores/external/external.ts'
import { clusterNotConnected } from '../../keystores/hsm/hsm-failure.ts'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { KeyOrigin, KeyRef, MaterialRecord } from '../../model/key.ts'
import type { Transaction } from '../../store/store.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'
import { hsmsForChanges } from './clusters.ts'
import { notFound, requireKeyStore } from './key-stores.ts'

interface InStore {
  readonly customKeyStoreId: string
  /** Present in an external key store. */
  readonly xksKeyId?: string
}

/** The key store of a new key, and its cluster if it has one. */
export interface FoundStore {
  readonly inStore: InStore
  readonly clusterId?: string
}

/**
 * The custom key store that CreateKey names, once it and its external key have proved fit; undefined if the
 * key is made in Trent.
 * @throws {KmsError}
 */
export async function requireCustomKeyStore(
  call: Call<{ readonly CustomKeyStoreId?: string; readonly XksKeyId?: string }, never>,
  origin: KeyOrigin,
  dependencies: Pick<OperationDependencies, 'store' | 'externalKeyStores' | 'hsmClusters'>,
): Promise<FoundStore | undefined> {
  const { CustomKeyStoreId: customKeyStoreId, XksKeyId: xksKeyId } = call.input
  if (customKeyStoreId === undefined) return undefined
  const { store, externalKeyStores, hsmClusters } = dependencies
  const found = await requireKeyStore(store, call, customKeyStoreId)
  if (found.type !== origin) {
    throw new KmsError(
      'ValidationException',
      `Custom key store ${customKeyStoreId} is not of the type that the Origin needs.`,
    )
  }
  if (xksKeyId !== undefined) {
    await requireUnused(store, found, xksKeyId)
    await externalKeyStores.requireKey(xksKeyId, found, call, call.signal)
    return { inStore: { customKeyStoreId, xksKeyId } }
  }
  requireConnected(found)
  const clusterId = found.cluster?.clusterId ?? ''
  hsmClusters.requireHsms(hsmClusters.find(clusterId, found.accountId), hsmsForChanges)
  return { inStore: { customKeyStoreId }, clusterId }
}

/**
 * The same as of now, inside of the transaction that creates the key.
 * @throws {KmsError} `CustomKeyStoreNotFoundException`, `CustomKeyStoreInvalidStateException`,
 *   `XksKeyAlreadyInUseException`
 */
export async function requireStillFit(
  transaction: Transaction,
  { accountId, region }: KeyRef,
  { customKeyStoreId: storeId, xksKeyId }: InStore,
  material: MaterialRecord | undefined,
): Promise<void> {
  const found = await transaction.findKeyStore({ accountId, region, storeId })
  if (found === undefined) throw notFound(storeId)
  requireConnected(found)
  if (xksKeyId !== undefined) return requireUnused(transaction, found, xksKeyId)
  const { materialId = '' } = material ?? {}
  // From here on the key relies on the object. A job may have taken it for one that a crash left behind.
  if (await transaction.deleteHsmObject({ materialId, phase: 'making' })) return
  throw new KmsError('DependencyTimeoutException', 'The CloudHSM cluster took too long to answer.')
}

/** @throws {KmsError} `CustomKeyStoreInvalidStateException` */
function requireConnected({ connection, type }: CustomKeyStoreRecord): void {
  if (connection === 'CONNECTED') return
  const code = 'CustomKeyStoreInvalidStateException'
  throw type === 'AWS_CLOUDHSM' ? clusterNotConnected(code) : notConnected(code)
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
