/**
 * The rows of material states. A forged row counts as absent, so its state has no effect.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { KeyRef } from '../../model/key.ts'
import type { MaterialStateRecord, MaterialStateRef } from '../../model/key-material.ts'
import { acceptedPage } from '../bound-rows.ts'
import { defined } from '../defined.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { MaterialStatesTable, Schema } from '../schema/schema.ts'
import { StaleRow, type MaterialStateChanges, type StoreReads, type Transaction } from '../store.ts'

type Reads = Pick<
  StoreReads,
  'findMaterialState' | 'listMaterialStates' | 'countRotations' | 'listExpiredMaterials'
>
type Writes = Pick<
  Transaction,
  'insertMaterialState' | 'updateMaterialState' | 'deleteMaterialState'
>

export function materialStateReads({ query, rows }: RowScope): Reads {
  const accept = (found: MaterialStatesTable | undefined): MaterialStateRecord | undefined => {
    const row = found && rows.genuine('material_states', primaryKeyOf(found), found)
    return row && stateOf(row)
  }
  const all = query.selectFrom('material_states').selectAll()
  return {
    async findMaterialState(ref) {
      return accept(await all.where((row) => isState(row, ref)).executeTakeFirst())
    },
    listMaterialStates(key, { onlyRotations = false, ...page }) {
      const fetch = (
        after: string | undefined,
        limit: number,
      ): Promise<readonly MaterialStatesTable[]> =>
        all
          .where((row) => isOfKey(row, key))
          .$if(onlyRotations, (states) => states.where('rotated_at', 'is not', null))
          .$if(after !== undefined, (states) => states.where('ordinal', '>', Number(after)))
          .orderBy('ordinal')
          .limit(limit)
          .execute()
      return acceptedPage(page, fetch, (row) => String(row.ordinal), accept)
    },
    // Counts without checking tags: a forged row can only use up the key's quota of rotations.
    async countRotations(key, type) {
      const { count } = await query
        .selectFrom('material_states')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where((row) => isOfKey(row, key))
        .where('rotation_type', '=', type)
        .executeTakeFirstOrThrow()
      return count
    },
    listExpiredMaterials({ dueBy, after, limit }) {
      const fetch = (
        from: string | undefined,
        rowsMax: number,
      ): Promise<readonly MaterialStatesTable[]> =>
        all
          .where('valid_to', '<=', dueBy)
          .$if(from !== undefined, (states) => states.where((row) => isAfter(row, from ?? '')))
          .orderBy('valid_to')
          .orderBy('account_id')
          .orderBy('region')
          .orderBy('key_id')
          .orderBy('material_id')
          .limit(rowsMax)
          .execute()
      const page = after === undefined ? { limit } : { after: placeOf(columnsOf(after)), limit }
      return acceptedPage(page, fetch, placeOf, accept)
    },
  }
}

export function materialStateWrites({ query, rows, touch }: WriteScope): Writes {
  // These rows are not cached. The change names their key, so that caches drop the key instead.
  const touchKey = ({ accountId, region, keyId }: KeyRef): void =>
    touch({ kind: 'key', accountId, region, id: keyId })
  return {
    async insertMaterialState(material) {
      const record = { ...material, rowVersion: 1 }
      await query
        .insertInto('material_states')
        .values(rows.seal('material_states', columnsOf(record)))
        .execute()
      touchKey(record)
      return record
    },
    async updateMaterialState(material, changes) {
      const updated = changedState(material, changes)
      const { numUpdatedRows } = await query
        .updateTable('material_states')
        .set(rows.seal('material_states', columnsOf(updated)))
        .where((row) => isState(row, material))
        .where('row_version', '=', material.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(material)
      touchKey(material)
      return updated
    },
    async deleteMaterialState(material) {
      const { numDeletedRows } = await query
        .deleteFrom('material_states')
        .where((row) => isState(row, material))
        .where('row_version', '=', material.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(material)
      touchKey(material)
    },
  }
}

type Row = ExpressionBuilder<Schema, 'material_states'>

function isOfKey(row: Row, { accountId, region, keyId }: KeyRef): Expression<SqlBool> {
  return row.and({ account_id: accountId, region, key_id: keyId })
}

function isState(row: Row, { materialId, ...key }: MaterialStateRef): Expression<SqlBool> {
  return row.and([isOfKey(row, key), row('material_id', '=', materialId)])
}

function primaryKeyOf(row: MaterialStatesTable): readonly string[] {
  return [row.account_id, row.region, row.key_id, row.material_id]
}

/** The position of a row among those that expire. */
function placeOf(row: Omit<MaterialStatesTable, 'row_tag'>): string {
  return JSON.stringify([row.valid_to, row.account_id, row.region, row.key_id, row.material_id])
}

function isAfter(row: Row, place: string): Expression<SqlBool> {
  type Cursor = [number, string, string, string, string]
  const [due, accountId, region, keyId, materialId] = JSON.parse(place) as Cursor
  return row(
    row.refTuple('valid_to', 'account_id', 'region', 'key_id', 'material_id'),
    '>',
    row.tuple(due, accountId, region, keyId, materialId),
  )
}

function columnsOf(material: MaterialStateRecord): Omit<MaterialStatesTable, 'row_tag'> {
  return {
    account_id: material.accountId,
    region: material.region,
    key_id: material.keyId,
    material_id: material.materialId,
    ordinal: material.ordinal,
    state: material.state,
    import_state: material.importState ?? null,
    expiration_model: material.expirationModel ?? null,
    valid_to: material.validTo ?? null,
    description: material.description ?? null,
    rotation_type: material.rotationType ?? null,
    rotated_at: material.rotatedAt ?? null,
    expired_at: material.expiredAt ?? null,
    row_version: material.rowVersion,
  }
}

/** The values are valid: `columnsOf` wrote every row that has a valid tag. */
function stateOf(row: MaterialStatesTable): MaterialStateRecord {
  type Of<K extends keyof MaterialStateRecord> = NonNullable<MaterialStateRecord[K]>
  return {
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    materialId: row.material_id,
    ordinal: row.ordinal,
    state: row.state as MaterialStateRecord['state'],
    ...defined({
      importState: row.import_state as Of<'importState'> | null,
      expirationModel: row.expiration_model as Of<'expirationModel'> | null,
      validTo: row.valid_to,
      description: row.description,
      rotationType: row.rotation_type as Of<'rotationType'> | null,
      rotatedAt: row.rotated_at,
      expiredAt: row.expired_at,
    }),
    rowVersion: row.row_version,
  }
}

/** The next version of `material`. A member that is undefined in `changes` is removed. */
function changedState(
  material: MaterialStateRecord,
  changes: MaterialStateChanges,
): MaterialStateRecord {
  const { accountId, region, keyId, materialId, ordinal, state, rowVersion, ...optional } = material
  const { state: changed = state, ...changedOptional } = changes
  return {
    accountId,
    region,
    keyId,
    materialId,
    ordinal,
    state: changed,
    ...defined({ ...optional, ...changedOptional }),
    rowVersion: rowVersion + 1,
  }
}

function stale(material: MaterialStateRecord): StaleRow {
  return new StaleRow(`material ${material.materialId}`)
}
