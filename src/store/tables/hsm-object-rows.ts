/** The rows of keys in HSMs that are being made or are to be destroyed. @module */
import type { HsmObject } from '../../model/hsm-object.ts'
import type { DuePage } from '../page.ts'
import type { RowScope } from '../row-scope.ts'
import { hsmObjects } from '../schema/key-stores.ts'
import { insertRecords, saveRecord, tableReads } from './table-rows.ts'

type Named = Pick<HsmObject, 'materialId'>

export interface HsmObjectReads {
  findHsmObject(object: Named): Promise<HsmObject | undefined>
  /** By material id, in any phase, noted until `dueBy`. */
  listHsmObjects(page: DuePage<HsmObject>): Promise<readonly HsmObject[]>
}

/** Writes outside of numbered changes: nothing is decided by these rows but the fate of an unused object. */
export interface HsmObjectStore {
  noteHsmObject(object: HsmObject): Promise<void>
  /**
   * Takes an object that is being made for destruction. From then on no key can be created with it.
   * @returns false if its key has been created meanwhile
   */
  claimHsmObject(object: HsmObject): Promise<boolean>
  /** Forgets an object that is gone. */
  dropHsmObject(object: Named): Promise<void>
}

export interface HsmObjectWrites {
  insertHsmObject(object: HsmObject): Promise<void>
  /** @returns whether it was there in this phase */
  deleteHsmObject(object: Pick<HsmObject, 'materialId' | 'phase'>): Promise<boolean>
}

export function hsmObjectReads(scope: RowScope): HsmObjectReads {
  const { find, acceptAll } = tableReads(hsmObjects, scope)
  return {
    findHsmObject: ({ materialId }) => find({ materialId }),
    async listHsmObjects({ dueBy, after, limit }) {
      const found = await scope.query
        .selectFrom('hsm_objects')
        .selectAll()
        .where('since', '<=', dueBy)
        .$if(after !== undefined, (some) => some.where('material_id', '>', after?.materialId ?? ''))
        .orderBy('material_id')
        .limit(limit)
        .execute()
      return acceptAll(found)
    },
  }
}

export function hsmObjectStore(scope: RowScope): HsmObjectStore {
  return {
    noteHsmObject: (object) => insertRecords(hsmObjects, scope, [object]),
    async claimHsmObject(object) {
      const claimed: HsmObject = { ...object, phase: 'destroying' }
      const { numUpdatedRows } = await scope.query
        .updateTable('hsm_objects')
        .set(scope.rows.seal(hsmObjects, hsmObjects.toRow(claimed)))
        .where('material_id', '=', object.materialId)
        .where('phase', '=', 'making')
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
    async dropHsmObject({ materialId }) {
      await scope.query.deleteFrom('hsm_objects').where('material_id', '=', materialId).execute()
    },
  }
}

export function hsmObjectWrites(scope: RowScope): HsmObjectWrites {
  return {
    insertHsmObject: (object) => saveRecord(hsmObjects, scope, object),
    async deleteHsmObject({ materialId, phase }) {
      const { numDeletedRows } = await scope.query
        .deleteFrom('hsm_objects')
        .where('material_id', '=', materialId)
        .where('phase', '=', phase)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },
  }
}
