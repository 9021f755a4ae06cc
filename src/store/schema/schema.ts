/** All tables, and their rows as the query builder sees them. @module */
import { accessKeys, accessKeyUsage, accounts, services } from './accounts.ts'
import {
  auditWriters,
  deliveryCursors,
  deliveryFiles,
  digestChains,
  digestKeys,
  retiredKeys,
  trails,
  trailStatus,
} from './audit.ts'
import { auditOutbox, changeHead, changeLog, lostChanges, outgoingEvents } from './changes.ts'
import type { QueriedRow, RowOf } from './columns.ts'
import {
  clockMark,
  deployment,
  domainKeys,
  leases,
  otherSeals,
  restorations,
  type schemaMigrations,
  seals,
} from './deployment.ts'
import {
  eventBlocks,
  eventIndexPositions,
  eventRunPages,
  eventRuns,
  keyTurns,
  requestCounts,
} from './event-index.ts'
import { grantBuckets, grants } from './grants.ts'
import { groups, managedPolicies, oidcProviders, roles, roleUsage, users } from './identities.ts'
import { keyUsage, keyUsageTracking, resourceCounts } from './key-usage.ts'
import { customKeyStores, hsmObjects } from './key-stores.ts'
import { keyStoreFigures } from './key-store-figures.ts'
import { aliases, keys } from './keys.ts'
import { nodes } from './nodes.ts'
import { quotaClaims } from './quotas.ts'
import { exportedKeys, proxyCredentials, servedProxies } from './served-proxies.ts'
import { deletedKeys, deletedMaterials, keyMaterials, materialStates } from './materials.ts'

/** Every table that a migration creates. A table comes after those that it refers to. */
export const everyTable = [
  deployment,
  seals,
  otherSeals,
  domainKeys,
  clockMark,
  restorations,
  nodes,
  accounts,
  accessKeys,
  accessKeyUsage,
  services,
  users,
  groups,
  roles,
  roleUsage,
  managedPolicies,
  oidcProviders,
  customKeyStores,
  servedProxies,
  proxyCredentials,
  exportedKeys,
  hsmObjects,
  keys,
  aliases,
  keyMaterials,
  materialStates,
  deletedKeys,
  deletedMaterials,
  keyUsage,
  keyUsageTracking,
  resourceCounts,
  grants,
  grantBuckets,
  changeHead,
  changeLog,
  lostChanges,
  auditOutbox,
  outgoingEvents,
  trails,
  trailStatus,
  auditWriters,
  deliveryCursors,
  deliveryFiles,
  digestChains,
  digestKeys,
  retiredKeys,
  eventBlocks,
  eventRunPages,
  eventRuns,
  eventIndexPositions,
  requestCounts,
  keyTurns,
  keyStoreFigures,
  quotaClaims,
  leases,
] as const

type EveryTable = (typeof everyTable)[number]

export type Schema = {
  readonly [T in EveryTable | typeof schemaMigrations as T['name']]: QueriedRow<T['columns']>
}

/** A table of bound rows. */
export type BoundTable = Extract<
  EveryTable,
  { readonly columns: { readonly row_tag: unknown } }
>['name']

/** The row of a table as queries return it. */
export type Row<Name extends EveryTable['name']> = RowOf<
  Extract<EveryTable, { readonly name: Name }>['columns']
>

/** The kinds of records in the log of changes. */
export type LoggedKind = NonNullable<EveryTable['change']>['kind']
