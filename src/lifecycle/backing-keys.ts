/** The keys in an HSM behind a KMS key: how audit records name them. @module */
import { backingKey } from '../model/backing-key.ts'
import type { KeyRecord } from '../model/key.ts'
import type { StoreReads } from '../store/store.ts'

/** Members of a record; a type, so that it is also a plain record of strings. */
export type RecordedBackingKeys = {
  readonly customKeyStoreId: string
  readonly clusterId: string
  /** JSON */
  readonly backingKeys: string
}

/** Undefined unless the key is in an HSM. */
export async function backingKeysOf(
  reads: Pick<StoreReads, 'findKeyStore'>,
  key: KeyRecord,
): Promise<RecordedBackingKeys | undefined> {
  const { accountId, region, origin, customKeyStoreId, currentMaterialId: materialId } = key
  if (origin !== 'AWS_CLOUDHSM' || customKeyStoreId === undefined) return undefined
  const found = await reads.findKeyStore({ accountId, region, storeId: customKeyStoreId })
  return {
    customKeyStoreId,
    clusterId: found?.cluster?.clusterId ?? '',
    backingKeys: JSON.stringify(materialId === undefined ? [] : [backingKey({ materialId })]),
  }
}
