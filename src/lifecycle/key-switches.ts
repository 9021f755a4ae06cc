/** The changes of a key's state: enabled, disabled, kept, made; whatever holds it. @module */
import { KmsError } from '../errors.ts'
import type { KeyRecord, KeyState } from '../model/key.ts'
import type { Transaction } from '../store/store.ts'
import type { KeyChanges } from '../store/tables/key-rows.ts'

/**
 * The change that enables or disables a key. The state `Unavailable` stays until the key's store is
 * connected again.
 */
export async function switched(
  transaction: Pick<Transaction, 'findKeyStore'>,
  key: KeyRecord,
  state: 'Enabled' | 'Disabled',
): Promise<KeyChanges> {
  const { accountId, region, customKeyStoreId: storeId } = key
  if (storeId === undefined) return { state }
  const found = await transaction.findKeyStore({ accountId, region, storeId })
  return found?.connection === 'CONNECTED'
    ? { state, connectedState: undefined }
    : { state: 'Unavailable', connectedState: state }
}

/**
 * The change that ends the waiting period of a key. The key is then disabled, or still lacks material.
 * @throws {KmsError} `KMSInvalidStateException` if its key in the HSM is being destroyed already
 */
export async function keptFromDeletion(
  transaction: Pick<Transaction, 'findKeyStore' | 'findHsmObject'>,
  key: KeyRecord,
): Promise<KeyChanges> {
  const { origin, currentMaterialId: materialId } = key
  const isInHsm = origin === 'AWS_CLOUDHSM' && materialId !== undefined
  if (isInHsm && (await transaction.findHsmObject({ materialId })) !== undefined) {
    throw new KmsError('KMSInvalidStateException', `${key.keyId} is being deleted.`)
  }
  return {
    ...(isWithoutMaterial(key)
      ? { state: 'PendingImport' }
      : await switched(transaction, key, 'Disabled')),
    deletionDate: undefined,
    pendingWindowDays: undefined,
  }
}

const passing: readonly KeyState[] = ['Creating', 'Updating']

/** The change that ends the passing state of a multi-Region key, if it has one. */
export function transitionEnded(key: KeyRecord): KeyChanges {
  // Imported material may be missing; a new replica never has it.
  const after = isWithoutMaterial(key) ? 'PendingImport' : 'Enabled'
  return {
    ...(passing.includes(key.state) ? { state: after } : {}),
    transitionStartedAt: undefined,
  }
}

function isWithoutMaterial({ origin, materialExpirationModel }: KeyRecord): boolean {
  return origin === 'EXTERNAL' && materialExpirationModel === undefined
}
