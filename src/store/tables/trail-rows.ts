/** The rows of trails. @module */
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely'
import type { TrailRecord, TrailRef } from '../../model/trail.ts'
import { acceptedPage } from '../bound-rows.ts'
import { defined } from '../defined.ts'
import { noRow } from '../change.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { Schema } from '../schema/schema.ts'
import type { TrailsTable } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<StoreReads, 'findTrail' | 'listTrails' | 'listEveryTrail'>
type Writes = Pick<Transaction, 'insertTrail' | 'updateTrail' | 'deleteTrail'>

export function trailReads({ query, rows }: RowScope): Reads {
  const accept = (found: TrailsTable | undefined): TrailRecord | undefined => {
    const row = found && rows.genuine('trails', nameOf(refOf(found)), found)
    return row && trailOf(row)
  }
  return {
    async findTrail(ref) {
      const found = await query
        .selectFrom('trails')
        .selectAll()
        .where((row) => isTrail(row, ref))
        .executeTakeFirst()
      return accept(found)
    },
    async listTrails(accountId) {
      const found = await query
        .selectFrom('trails')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('home_region')
        .orderBy('name')
        .execute()
      return found.flatMap((row) => accept(row) ?? [])
    },
    listEveryTrail(page) {
      const fetch = async (after: string | undefined, limit: number) => {
        const [accountId = '', homeRegion = '', name = ''] = (after ?? '').split('/')
        return query
          .selectFrom('trails')
          .selectAll()
          .$if(after !== undefined, (trails) =>
            trails.where((row) =>
              row.eb(
                row.refTuple('account_id', 'home_region', 'name'),
                '>',
                row.tuple(accountId, homeRegion, name),
              ),
            ),
          )
          .orderBy('account_id')
          .orderBy('home_region')
          .orderBy('name')
          .limit(limit)
          .execute()
      }
      return acceptedPage(page, fetch, (row) => nameOf(refOf(row)).join('/'), accept)
    },
  }
}

export function trailWrites({ query, rows, touch }: WriteScope): Writes {
  const touchTrail = (
    { accountId, homeRegion: region, name: id }: TrailRef,
    rowVersion: number,
  ): void => touch({ kind: 'trail', accountId, region, id }, rowVersion)
  return {
    async insertTrail(trail) {
      const columns = columnsOf({ ...trail, rowVersion: 1 })
      await query.insertInto('trails').values(rows.seal('trails', columns)).execute()
      touchTrail(trail, 1)
    },
    async updateTrail(trail, changes) {
      const changed = { ...trail, ...changes, rowVersion: trail.rowVersion + 1 }
      const updated = defined(changed) as TrailRecord // only optional members were removed
      const { numUpdatedRows } = await query
        .updateTable('trails')
        .set(rows.seal('trails', columnsOf(updated)))
        .where((row) => isTrail(row, trail))
        .where('row_version', '=', trail.rowVersion)
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw stale(trail)
      touchTrail(trail, updated.rowVersion)
      return updated
    },
    async deleteTrail(trail) {
      const { numDeletedRows } = await query
        .deleteFrom('trails')
        .where((row) => isTrail(row, trail))
        .where('row_version', '=', trail.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw stale(trail)
      touchTrail(trail, noRow)
    },
  }
}

function isTrail(
  row: ExpressionBuilder<Schema, 'trails'>,
  { accountId, homeRegion, name }: TrailRef,
): Expression<SqlBool> {
  return row.and({ account_id: accountId, home_region: homeRegion, name })
}

function refOf(row: TrailsTable): TrailRef {
  return { accountId: row.account_id, homeRegion: row.home_region, name: row.name }
}

/** None of its parts contains a slash. */
function nameOf({ accountId, homeRegion, name }: TrailRef): readonly string[] {
  return [accountId, homeRegion, name]
}

function stale(trail: TrailRef): StaleRow {
  return new StaleRow(`trail ${nameOf(trail).join('/')}`)
}

function columnsOf(trail: TrailRecord): Omit<TrailsTable, 'row_tag'> {
  return {
    account_id: trail.accountId,
    home_region: trail.homeRegion,
    name: trail.name,
    bucket: trail.bucket,
    prefix: trail.prefix ?? null,
    multi_region: Number(trail.multiRegion),
    global_events: Number(trail.includeGlobalServiceEvents),
    validation: Number(trail.logFileValidation),
    kms_key_id: trail.kmsKeyId ?? null,
    topic_arn: trail.topicArn ?? null,
    selectors: JSON.stringify(trail.selectors),
    logging: Number(trail.isLogging),
    started_at: trail.startedAt ?? null,
    stopped_at: trail.stoppedAt ?? null,
    created_at: trail.createdAt,
    row_version: trail.rowVersion,
  }
}

/** The JSON is valid: `columnsOf` wrote every row that has a valid tag. */
function trailOf(row: TrailsTable): TrailRecord {
  return {
    ...refOf(row),
    bucket: row.bucket,
    multiRegion: row.multi_region === 1,
    includeGlobalServiceEvents: row.global_events === 1,
    logFileValidation: row.validation === 1,
    selectors: JSON.parse(row.selectors) as TrailRecord['selectors'],
    isLogging: row.logging === 1,
    createdAt: row.created_at,
    rowVersion: row.row_version,
    ...defined({
      prefix: row.prefix,
      kmsKeyId: row.kms_key_id,
      topicArn: row.topic_arn,
      startedAt: row.started_at,
      stoppedAt: row.stopped_at,
    }),
  }
}
