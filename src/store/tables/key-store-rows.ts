/** The rows of custom key stores. @module */
import type {
  ConnectionState,
  CustomKeyStoreRecord,
  CustomKeyStoreRef,
} from '../../model/custom-key-store.ts'
import type { KeyRecord, KeyState } from '../../model/key.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { customKeyStores } from '../schema/key-stores.ts'
import { keys } from '../schema/keys.ts'
import { tableReads, tableWrites, type Changes } from './table-rows.ts'

export interface KeyStoreReads {
  findKeyStore(ref: CustomKeyStoreRef): Promise<CustomKeyStoreRecord | undefined>
  /** All key stores of an account and Region by id. A quota keeps them few. */
  listKeyStores(accountId: string, region: string): Promise<readonly CustomKeyStoreRecord[]>
  /** Key stores of all accounts and Regions that are in HSM clusters. */
  listClusterStores(): Promise<readonly CustomKeyStoreRecord[]>
  /** Key stores of all accounts in a state of connection. */
  listKeyStoresIn(
    connection: ConnectionState,
    limit: number,
  ): Promise<readonly CustomKeyStoreRecord[]>
  /** Some keys of a key store, in any of the states; of one external key if its id is given. */
  listKeysInStore(
    store: CustomKeyStoreRef,
    of: {
      readonly states?: readonly KeyState[]
      readonly xksKeyId?: string
      readonly limit: number
    },
  ): Promise<readonly KeyRecord[]>
}

/** The members of a key store that a change may set. `undefined` clears an optional member. */
export type KeyStoreChanges = Changes<
  Omit<CustomKeyStoreRecord, keyof CustomKeyStoreRef | 'type' | 'createdAt' | 'rowVersion'>
>

export interface KeyStoreWrites {
  insertKeyStore(store: Omit<CustomKeyStoreRecord, 'rowVersion'>): Promise<CustomKeyStoreRecord>
  /** @throws {StaleRow} */
  updateKeyStore(
    store: CustomKeyStoreRecord,
    changes: KeyStoreChanges,
  ): Promise<CustomKeyStoreRecord>
  /** @throws {StaleRow} */
  deleteKeyStore(store: CustomKeyStoreRecord): Promise<void>
}

export function keyStoreReads(scope: RowScope): KeyStoreReads {
  const { find, acceptAll } = tableReads(customKeyStores, scope)
  const { acceptAll: acceptKeys } = tableReads(keys, scope)
  const all = () => scope.query.selectFrom('custom_key_stores').selectAll()
  return {
    findKeyStore: find,
    async listKeyStores(accountId, region) {
      const found = await all()
        .where('account_id', '=', accountId)
        .where('region', '=', region)
        .orderBy('store_id')
        .execute()
      return acceptAll(found)
    },
    async listClusterStores() {
      const found = await all().where('type', '=', 'AWS_CLOUDHSM').execute()
      return acceptAll(found)
    },
    async listKeyStoresIn(connection, limit) {
      const found = await all()
        .where('connection', '=', connection)
        .orderBy('account_id')
        .orderBy('region')
        .orderBy('store_id')
        .limit(limit)
        .execute()
      return acceptAll(found)
    },
    async listKeysInStore({ accountId, region, storeId }, { states, xksKeyId, limit }) {
      const found = await scope.query
        .selectFrom('keys')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('region', '=', region)
        .where('custom_key_store_id', '=', storeId)
        .$if(states !== undefined, (some) => some.where('state', 'in', [...(states ?? [])]))
        .$if(xksKeyId !== undefined, (some) => some.where('xks_key_id', '=', xksKeyId ?? ''))
        .orderBy('key_id')
        .limit(limit)
        .execute()
      return acceptKeys(found)
    },
  }
}

export function keyStoreWrites(scope: WriteScope): KeyStoreWrites {
  const writes = tableWrites(customKeyStores, scope)
  return {
    insertKeyStore: writes.insert,
    updateKeyStore: writes.update,
    deleteKeyStore: writes.delete,
  }
}
