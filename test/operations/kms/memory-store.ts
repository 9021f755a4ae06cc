/** A store in memory: rows in arrays, and a transaction that works on a copy of them. */
import type { StoredOutside } from './memory-key-stores.ts'
import { granteeOf, requestDigest, type GrantRecord } from '../../../src/model/grant.ts'
import type { AliasRecord, KeyRecord, KeyRef, MaterialRecord } from '../../../src/model/key.ts'
import type { MaterialStateRecord } from '../../../src/model/key-material.ts'
import {
  DuplicateRow,
  StaleRow,
  type StoreReads,
  type Transaction,
} from '../../../src/store/store.ts'
import { withUnused } from './unused.ts'
import { changed, keyStoreReads, keyStoreWrites } from './memory-key-stores.ts'

/** Everything stored. */
export interface Rows extends StoredOutside {
  keys: KeyRecord[]
  aliases: AliasRecord[]
  materials: MaterialRecord[]
  materialStates: MaterialStateRecord[]
  grants: GrantRecord[]
}

const byName = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

export function reads(rows: Rows): StoreReads {
  const page = <R>(
    all: readonly R[],
    nameOf: (row: R) => string,
    after: string,
    limit: number,
  ): R[] =>
    all
      .filter((row) => nameOf(row) > after)
      .sort((one, other) => byName(nameOf(one), nameOf(other)))
      .slice(0, limit)
  const ofKey = (key: KeyRef): GrantRecord[] =>
    rows.grants.filter(
      (grant) =>
        grant.accountId === key.accountId &&
        grant.region === key.region &&
        grant.keyId === key.keyId,
    )
  const statesOf = (key: KeyRef): MaterialStateRecord[] =>
    rows.materialStates.filter(
      (one) =>
        one.accountId === key.accountId && one.region === key.region && one.keyId === key.keyId,
    )
  return withUnused<StoreReads>({
    findAccount: async () => undefined,
    listAccessKeys: () => Promise.resolve([]),
    findAccessKey: async () => undefined,
    findKey: async (ref) =>
      rows.keys.find(
        (key) =>
          key.accountId === ref.accountId && key.region === ref.region && key.keyId === ref.keyId,
      ),
    listRelatedKeys: async ({ accountId, keyId }) =>
      rows.keys
        .filter((key) => key.accountId === accountId && key.keyId === keyId)
        .filter(({ primaryRegion }) => primaryRegion !== undefined)
        .sort((one, other) => byName(one.region, other.region)),
    listKeys: async (account, place, { after = '', limit }) =>
      page(
        rows.keys.filter((key) => key.accountId === account && key.region === place),
        (key) => key.keyId,
        after,
        limit,
      ),
    countKeys: async (account, place) =>
      rows.keys.filter((key) => key.accountId === account && key.region === place).length,
    findMaterial: async (id) => rows.materials.find((material) => material.materialId === id),
    listMaterials: async (_account, id) => rows.materials.filter(({ keyId }) => keyId === id),
    findMaterialState: async (ref) =>
      statesOf(ref).find((one) => one.materialId === ref.materialId),
    listMaterialStates: async (key, { after = '0', limit, onlyRotations = false }) =>
      statesOf(key)
        .filter((one) => !onlyRotations || one.rotatedAt !== undefined)
        .filter(({ ordinal }) => ordinal > Number(after))
        .sort((one, other) => one.ordinal - other.ordinal)
        .slice(0, limit),
    countRotations: async (key, type) =>
      statesOf(key).filter(({ rotationType }) => rotationType === type).length,
    findAlias: async (ref) =>
      rows.aliases.find(
        (alias) =>
          alias.accountId === ref.accountId &&
          alias.region === ref.region &&
          alias.name === ref.name,
      ),
    listAliases: async (account, place, { after = '', limit, targetKeyId }) =>
      page(
        rows.aliases.filter(
          (alias) =>
            alias.accountId === account &&
            alias.region === place &&
            (targetKeyId === undefined || alias.targetKeyId === targetKeyId),
        ),
        (alias) => alias.name,
        after,
        limit,
      ),
    countAliases: async (key) =>
      rows.aliases.filter(({ targetKeyId }) => targetKeyId === key.keyId).length,
    countAllAliases: async (account, place) =>
      rows.aliases.filter((alias) => alias.accountId === account && alias.region === place).length,
    findGrant: async (ref) => ofKey(ref).find(({ grantId }) => grantId === ref.grantId),
    findSameGrant: async (key, digest) =>
      ofKey(key).find((grant) => grant.name !== undefined && requestDigest(grant) === digest),
    findGrants: async (key, ids) => ofKey(key).filter(({ grantId }) => ids.includes(grantId)),
    listGrants: async (key, { after = '', limit, grantee, granteeId }) =>
      page(
        ofKey(key).filter(
          (grant) =>
            (grantee === undefined || granteeOf(grant) === grantee) &&
            (granteeId === undefined || grant.granteeId === granteeId),
        ),
        (grant) => grant.grantId,
        after,
        limit,
      ),
    listRetirableGrants: async (place, { after = '', limit, retiree, retireeId, accountId }) =>
      page(
        rows.grants.filter(
          (grant) =>
            grant.region === place &&
            (grant.retiringPrincipal ?? grant.retiringServicePrincipal) === retiree &&
            (retireeId === undefined || grant.retiringId === retireeId) &&
            (accountId === undefined || grant.accountId === accountId),
        ),
        (grant) => grant.grantId,
        after,
        limit,
      ),
    countGrants: async (key, grantee) =>
      ofKey(key).filter((grant) => grantee === undefined || granteeOf(grant) === grantee).length,
    ...keyStoreReads(rows),
  })
}

/** A transaction over `rows`, which it changes in place. Pass a copy. */
export function transactionOn(rows: Rows): Transaction {
  const present = <R extends { readonly rowVersion: number }>(
    all: R[],
    row: R,
    same: (one: R) => boolean,
  ): number => {
    const index = all.findIndex((one) => same(one) && one.rowVersion === row.rowVersion)
    if (index < 0) throw new StaleRow('stale')
    return index
  }
  const placeOf = (key: KeyRecord): number =>
    present(
      rows.keys,
      key,
      (one) =>
        one.keyId === key.keyId && one.region === key.region && one.accountId === key.accountId,
    )
  const aliasAt = (alias: AliasRecord): number =>
    present(rows.aliases, alias, (one) => one.name === alias.name)
  const stateAt = (material: MaterialStateRecord): number =>
    present(
      rows.materialStates,
      material,
      (one) =>
        one.materialId === material.materialId &&
        one.keyId === material.keyId &&
        one.region === material.region,
    )
  return withUnused<Transaction>({
    ...reads(rows),
    insertKey: async (key) => {
      const row = { ...key, rowVersion: 1 }
      rows.keys.push(row)
      return row
    },
    updateKey: async (key, changes) => {
      const row = changed<KeyRecord>(key, changes)
      rows.keys[placeOf(key)] = row
      return row
    },
    confirmKey: async (key) => void placeOf(key),
    insertMaterial: async (material) => void rows.materials.push(material),
    emptyMaterial: async ({ materialId }) => {
      rows.materials = rows.materials.map((one) =>
        one.materialId === materialId ? { ...one, wrapped: new Uint8Array() } : one,
      )
    },
    refillMaterial: async (material) => {
      rows.materials = rows.materials.map((one) =>
        one.materialId === material.materialId ? material : one,
      )
    },
    deleteMaterial: async ({ materialId }) => {
      rows.materials = rows.materials.filter((one) => one.materialId !== materialId)
    },
    insertMaterialState: async (material) => {
      const row = { ...material, rowVersion: 1 }
      rows.materialStates.push(row)
      return row
    },
    updateMaterialState: async (material, changes) => {
      const row = changed<MaterialStateRecord>(material, changes)
      rows.materialStates[stateAt(material)] = row
      return row
    },
    deleteMaterialState: async (material) => void rows.materialStates.splice(stateAt(material), 1),
    insertAlias: async (alias) => {
      if (rows.aliases.some(({ name }) => name === alias.name)) throw new DuplicateRow('taken')
      const row = { ...alias, rowVersion: 1 }
      rows.aliases.push(row)
      return row
    },
    updateAlias: async (alias, changes) => {
      const row = { ...alias, ...changes, rowVersion: alias.rowVersion + 1 }
      rows.aliases[aliasAt(alias)] = row
      return row
    },
    deleteAlias: async (alias) => void rows.aliases.splice(aliasAt(alias), 1),
    insertGrant: async (grant) => {
      const row = { ...grant, rowVersion: 1 }
      rows.grants.push(row)
      return row
    },
    ...keyStoreWrites(rows),
    deleteGrant: async (grant) => {
      const index = rows.grants.findIndex(({ grantId }) => grantId === grant.grantId)
      if (index < 0) throw new StaleRow('stale')
      rows.grants.splice(index, 1)
    },
  })
}
