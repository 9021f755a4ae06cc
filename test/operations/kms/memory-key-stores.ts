/** Custom key stores in memory: rows, and proxies that answer as a test says. @module */
import { createSecretKey } from 'node:crypto'
import { createClusterChecks } from '../../../src/keystores/hsm/require-cluster.ts'
import type { OperationDependencies } from '../../../src/operations/contract/dependencies.ts'
import type { CustomKeyStoreRecord } from '../../../src/model/custom-key-store.ts'
import { StaleRow, type StoreReads, type Transaction } from '../../../src/store/store.ts'
import type { HsmObject } from '../../../src/model/hsm-object.ts'
import { hsmCluster, otherCluster, relatedCluster } from './cluster-stores.ts'
import type { Rows } from './memory-store.ts'

/** Rows of custom key stores. */
export interface StoredOutside {
  keyStores: CustomKeyStoreRecord[]
  hsmObjects: HsmObject[]
}

type Reads = Pick<
  StoreReads,
  | 'findKeyStore'
  | 'listKeyStores'
  | 'listClusterStores'
  | 'listKeyStoresIn'
  | 'listKeysInStore'
  | 'findHsmObject'
  | 'listHsmObjects'
>
type Writes = Pick<
  Transaction,
  'insertKeyStore' | 'updateKeyStore' | 'deleteKeyStore' | 'insertHsmObject' | 'deleteHsmObject'
>

/** A row with its changes; undefined members are removed. */
export function changed<R extends { readonly rowVersion: number }>(row: R, changes: object): R {
  const merged = Object.entries({ ...row, ...changes }).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(merged), rowVersion: row.rowVersion + 1 } as R // a row and its changes
}

export function keyStoreReads(rows: Pick<Rows, 'keyStores' | 'hsmObjects' | 'keys'>): Reads {
  return {
    findKeyStore: async ({ accountId, region, storeId }) =>
      rows.keyStores.find(
        (one) => one.storeId === storeId && one.accountId === accountId && one.region === region,
      ),
    listKeyStores: async (accountId, region) =>
      rows.keyStores.filter((one) => one.accountId === accountId && one.region === region),
    listClusterStores: async () => rows.keyStores.filter(({ type }) => type === 'AWS_CLOUDHSM'),
    findHsmObject: async ({ materialId }) =>
      rows.hsmObjects.find((object) => object.materialId === materialId),
    listHsmObjects: async () => rows.hsmObjects,
    listKeyStoresIn: async (connection) =>
      rows.keyStores.filter((one) => one.connection === connection),
    listKeysInStore: async ({ storeId }, { states, xksKeyId, limit }) =>
      rows.keys
        .filter((key) => key.customKeyStoreId === storeId)
        .filter((key) => states?.includes(key.state) !== false)
        .filter((key) => xksKeyId === undefined || key.xksKeyId === xksKeyId)
        .slice(0, limit),
  }
}

export function keyStoreWrites(rows: Pick<Rows, 'keyStores' | 'hsmObjects'>): Writes {
  const placeOf = (store: CustomKeyStoreRecord): number => {
    const index = rows.keyStores.findIndex(
      ({ storeId, rowVersion }) => storeId === store.storeId && rowVersion === store.rowVersion,
    )
    if (index < 0) throw new StaleRow('stale')
    return index
  }
  return {
    async insertKeyStore(store) {
      const row = { ...store, rowVersion: 1 }
      rows.keyStores.push(row)
      return row
    },
    async updateKeyStore(store, changes) {
      const row = changed<CustomKeyStoreRecord>(store, changes)
      rows.keyStores[placeOf(store)] = row
      return row
    },
    deleteKeyStore: async (store) => void rows.keyStores.splice(placeOf(store), 1),
    insertHsmObject: async (object) => void rows.hsmObjects.push(object),
    async deleteHsmObject({ materialId, phase }) {
      const index = rows.hsmObjects.findIndex(
        (object) => object.materialId === materialId && object.phase === phase,
      )
      if (index >= 0) rows.hsmObjects.splice(index, 1)
      return index >= 0
    },
  }
}

const signingSecret = createSecretKey(Buffer.alloc(32))

type Outside = Pick<
  OperationDependencies,
  'externalKeyStores' | 'keyStoreSecrets' | 'hsmClusters' | 'hsmKeyStores'
>

/** @param asked takes a note of each question to a cluster, and throws what it answers */
function clustersOutside(asked: (question: string) => void): Pick<Outside, 'hsmClusters'> {
  const known = new Map(
    [hsmCluster, relatedCluster, otherCluster].map((each) => [each.clusterId, each]),
  )
  const checks = createClusterChecks({
    clusters: known,
    environment: {},
    onFailure: () => undefined,
  })
  return {
    hsmClusters: {
      ...checks,
      requireActive: async ({ clusterId }) => asked(`active ${clusterId}`),
      requireInitialized: async ({ clusterId }) => asked(`initialized ${clusterId}`),
    },
  }
}

/** @param asked takes a note of each question to a proxy, and throws what it answers */
export function keyStoresOutside(asked: (question: string) => void): Outside {
  return {
    externalKeyStores: {
      requireHealthy: async ({ endpoint, path }) => asked(`health ${endpoint}${path}`),
      requireAddress: async ({ endpoint, vpcServiceName }) =>
        asked(`address ${vpcServiceName ?? endpoint}`),
      requireKey: async (xksKeyId) => asked(`key ${xksKeyId}`),
    },
    keyStoreSecrets: {
      wrap: (_store, accessKeyId, secret) => ({
        wrappedSecret: Buffer.from(`${accessKeyId} ${secret.length}`),
        wrappingVersion: 1,
      }),
      addressOf: ({ proxy, region }) => ({ ...proxy, region, signingSecret }),
    },
    ...clustersOutside(asked),
    hsmKeyStores: {
      wrapPassword: (_store, password) => ({
        wrappedSecret: Buffer.from(`kmsuser ${password.length}`),
        wrappingVersion: 1,
      }),
    },
  }
}
