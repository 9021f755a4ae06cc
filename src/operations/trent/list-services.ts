/** ListServices — `trent service list`: lists the registered services. @module */
import { trentOperation } from './trent-operation.ts'

export interface ListedServices {
  readonly services: readonly {
    readonly name: string
    readonly region: string
    readonly hosts: readonly string[]
    readonly accessKeyId: string
    /** ISO 8601, UTC. */
    readonly createdAt: string
  }[]
}

export const listServices = trentOperation<ListedServices>()({
  name: 'ListServices',
  door: 'operator',
  input: {},
  permissions: () => [{ action: 'trent:ListServices' }],
  readOnly: true,
  audit: [],
  throws: ['AccessDeniedException'],
  async run(_call, { store }) {
    const found = await store.listServices()
    return {
      services: found.map(({ name, region, hosts, accessKeyId, createdAt }) => ({
        name,
        region,
        hosts,
        accessKeyId,
        createdAt: new Date(createdAt).toISOString(),
      })),
    }
  },
})
