/**
 * The rows of material states. A forged row counts as absent, so its state has no effect.
 * @module
 */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { KeyRef } from '../../model/key.ts'
import type {
  MaterialStateRecord,
  MaterialStateRef,
  NewMaterialState,
  RotationType,
} from '../../model/key-material.ts'
import type { DuePage, Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { materialStates } from '../schema/materials.ts'
import type { Row, Schema } from '../schema/schema.ts'
import { countRows, tableReads, tableWrites, type Changes } from './table-rows.ts'

export interface MaterialStateReads {
  findMaterialState(ref: MaterialStateRef): Promise<MaterialStateRecord | undefined>
  /** The states of a key's materials in its Region, in order; `after` is an ordinal. */
  listMaterialStates(
    key: KeyRef,
    page: Page & { readonly onlyRotations?: boolean },
  ): Promise<readonly MaterialStateRecord[]>
  /** How often the key was rotated in this way. */
  countRotations(key: KeyRef, type: RotationType): Promise<number>
  /** Expired imported materials of all accounts and Regions. */
  listExpiredMaterials(page: DuePage<MaterialStateRecord>): Promise<readonly MaterialStateRecord[]>
}

/**
 * The members of a material's state that a change may set. `undefined` clears an optional member.
 */
export type MaterialStateChanges = Changes<
  Omit<MaterialStateRecord, keyof MaterialStateRef | 'ordinal' | 'rowVersion'>
>

/** Each of them must be followed by a change of the key's row, which serializes concurrent calls. */
export interface MaterialStateWrites {
  insertMaterialState(material: NewMaterialState): Promise<MaterialStateRecord>
  /** @throws {StaleRow} */
  updateMaterialState(
    material: MaterialStateRecord,
    changes: MaterialStateChanges,
  ): Promise<MaterialStateRecord>
  /** @throws {StaleRow} */
  deleteMaterialState(material: MaterialStateRecord): Promise<void>
}

type StateRow = Row<'material_states'>

export function materialStateReads(scope: RowScope): MaterialStateReads {
  const { query } = scope
  const { find, page: pageOf } = tableReads(materialStates, scope)
  const all = () => query.selectFrom('material_states').selectAll()
  return {
    findMaterialState: find,
    listMaterialStates(key, { onlyRotations = false, ...page }) {
      const fetch = (after: string | undefined, limit: number): Promise<readonly StateRow[]> =>
        all()
          .where((row) => row.and(columnsOf(key)))
          .$if(onlyRotations, (some) => some.where('rotated_at', 'is not', null))
          .$if(after !== undefined, (some) => some.where('ordinal', '>', Number(after)))
          .orderBy('ordinal')
          .limit(limit)
          .execute()
      return pageOf(page, fetch, (row) => String(row.ordinal))
    },
    countRotations: (key, type) =>
      countRows(query, materialStates, { ...columnsOf(key), rotation_type: type }),
    listExpiredMaterials({ dueBy, after, limit }) {
      const fetch = (from: string | undefined, most: number): Promise<readonly StateRow[]> =>
        all()
          .where('valid_to', '<=', dueBy)
          .$if(from !== undefined, (some) => some.where((row) => isAfter(row, from ?? '')))
          .orderBy('valid_to')
          .orderBy('account_id')
          .orderBy('region')
          .orderBy('key_id')
          .orderBy('material_id')
          .limit(most)
          .execute()
      const start = after === undefined ? {} : { after: placeOf(materialStates.toRow(after)) }
      return pageOf({ ...start, limit }, fetch, placeOf)
    },
  }
}

export function materialStateWrites(scope: WriteScope): MaterialStateWrites {
  const writes = tableWrites(materialStates, scope, { isDeferred: true })
  return {
    insertMaterialState: writes.insert,
    updateMaterialState: writes.update,
    deleteMaterialState: writes.delete,
  }
}

function columnsOf({
  accountId,
  region,
  keyId,
}: KeyRef): Pick<StateRow, 'account_id' | 'region' | 'key_id'> {
  return { account_id: accountId, region, key_id: keyId }
}

/** The position of a row among those that expire. */
function placeOf(row: Omit<StateRow, 'row_tag'>): string {
  return JSON.stringify([row.valid_to, row.account_id, row.region, row.key_id, row.material_id])
}

function isAfter(
  row: ExpressionBuilder<Schema, 'material_states'>,
  place: string,
): Expression<SqlBool> {
  type DuePosition = [number, string, string, string, string]
  const [due, accountId, region, keyId, materialId] = JSON.parse(place) as DuePosition
  return row(
    row.refTuple('valid_to', 'account_id', 'region', 'key_id', 'material_id'),
    '>',
    row.tuple(due, accountId, region, keyId, materialId),
  )
}
