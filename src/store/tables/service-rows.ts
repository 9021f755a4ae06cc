/**
 * The rows of services. A service that is registered again is a new one, with another access key.
 * @module
 */
import type { ServiceRecord } from '../../model/service.ts'
import { noRow } from '../change.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import type { ServicesTable } from '../schema/schema.ts'
import { type StoreReads, type Transaction, StaleRow } from '../store.ts'

type Reads = Pick<StoreReads, 'findService' | 'findServiceByKey' | 'listServices'>
type Writes = Pick<Transaction, 'insertService' | 'deleteService'>

export function serviceReads({ query, rows }: RowScope): Reads {
  const accept = (found: ServicesTable | undefined): ServiceRecord | undefined => {
    const row = found && rows.genuine('services', [found.name, found.region], found)
    return row && serviceOf(row)
  }
  const all = query.selectFrom('services').selectAll()
  return {
    async findService({ name, region }) {
      return accept(
        await all.where('name', '=', name).where('region', '=', region).executeTakeFirst(),
      )
    },
    async findServiceByKey(accessKeyId) {
      return accept(await all.where('access_key_id', '=', accessKeyId).executeTakeFirst())
    },
    async listServices() {
      const found = await all.orderBy('name').orderBy('region').execute()
      return found.flatMap((row) => accept(row) ?? [])
    },
  }
}

export function serviceWrites({ query, rows, touch }: WriteScope): Writes {
  const touchService = ({ region, accessKeyId: id }: ServiceRecord, rowVersion: number): void =>
    touch({ kind: 'service', accountId: '', region, id }, rowVersion)
  return {
    async insertService(service) {
      const record = { ...service, rowVersion: 1 }
      await query
        .insertInto('services')
        .values(rows.seal('services', columnsOf(record)))
        .execute()
      touchService(record, 1)
    },
    async deleteService(service) {
      const { numDeletedRows } = await query
        .deleteFrom('services')
        .where('name', '=', service.name)
        .where('region', '=', service.region)
        .where('access_key_id', '=', service.accessKeyId)
        .where('row_version', '=', service.rowVersion)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw new StaleRow(`service ${service.name}/${service.region}`)
      touchService(service, noRow)
    },
  }
}

function columnsOf(service: ServiceRecord): Omit<ServicesTable, 'row_tag'> {
  return {
    name: service.name,
    region: service.region,
    access_key_id: service.accessKeyId,
    hosts: JSON.stringify(service.hosts),
    wrapping_version: service.wrappingVersion,
    wrapped_secret: service.wrappedSecret,
    created_at: service.createdAt,
    row_version: service.rowVersion,
  }
}

/** The JSON is valid: `columnsOf` wrote every row that has a valid tag. */
export function serviceOf(row: ServicesTable): ServiceRecord {
  return {
    name: row.name,
    region: row.region,
    accessKeyId: row.access_key_id,
    hosts: JSON.parse(row.hosts) as readonly string[],
    wrappingVersion: row.wrapping_version,
    wrappedSecret: row.wrapped_secret,
    createdAt: row.created_at,
    rowVersion: row.row_version,
  }
}
