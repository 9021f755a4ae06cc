/** The rows of services. @module */
import type { ServiceRecord, ServiceRef } from '../../model/service.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { services } from '../schema/accounts.ts'
import { tableReads, tableWrites } from './table-rows.ts'

export interface ServiceReads {
  findService(ref: ServiceRef): Promise<ServiceRecord | undefined>
  findServiceByKey(accessKeyId: string): Promise<ServiceRecord | undefined>
  /** All services by name and Region: operators create few. */
  listServices(): Promise<readonly ServiceRecord[]>
}

export interface ServiceWrites {
  /** @throws {DuplicateRow} if it is registered in that Region */
  insertService(service: Omit<ServiceRecord, 'rowVersion'>): Promise<ServiceRecord>
  /** @throws {StaleRow} */
  deleteService(service: ServiceRecord): Promise<void>
}

export function serviceReads(scope: RowScope): ServiceReads {
  const { find, accept, acceptAll } = tableReads(services, scope)
  const all = () => scope.query.selectFrom('services').selectAll()
  return {
    findService: find,
    findServiceByKey: async (accessKeyId) =>
      accept(await all().where('access_key_id', '=', accessKeyId).executeTakeFirst()),
    listServices: async () => acceptAll(await all().orderBy('name').orderBy('region').execute()),
  }
}

export function serviceWrites(scope: WriteScope): ServiceWrites {
  const writes = tableWrites(services, scope)
  return { insertService: writes.insert, deleteService: writes.delete }
}
