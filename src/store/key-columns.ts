/** A KMS key as a row of `keys`, and back. @module */
import type { KeyRecord } from '../model/key.ts'
import type { KeysTable } from './schema.ts'
import type { KeyChanges } from './store.ts'

/** `row_version` is among them: the row's tag covers every column of the answer. */
export function keyColumns(key: KeyRecord): Omit<KeysTable, 'row_tag'> {
  return {
    account_id: key.accountId,
    region: key.region,
    key_id: key.keyId,
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    manager: key.manager,
    state: key.state,
    description: JSON.stringify(key.description),
    created_at: key.createdAt,
    deletion_date: key.deletionDate ?? null,
    pending_window_days: key.pendingWindowDays ?? null,
    primary_region: key.primaryRegion ?? null,
    current_material_id: key.currentMaterialId ?? null,
    policy: key.policy,
    policy_principals: JSON.stringify(key.policyPrincipals),
    tags: JSON.stringify(key.tags),
    row_version: key.rowVersion,
  }
}

/** @param row genuine: it was made by `keyColumns`, so that its words and its JSON are the record's */
export function keyOf(row: KeysTable): KeyRecord {
  return {
    accountId: row.account_id,
    region: row.region,
    keyId: row.key_id,
    spec: row.spec as KeyRecord['spec'],
    usage: row.usage as KeyRecord['usage'],
    origin: row.origin as KeyRecord['origin'],
    manager: row.manager as KeyRecord['manager'],
    state: row.state as KeyRecord['state'],
    description: JSON.parse(row.description) as string,
    createdAt: row.created_at,
    ...(row.deletion_date !== null && { deletionDate: row.deletion_date }),
    ...(row.pending_window_days !== null && { pendingWindowDays: row.pending_window_days }),
    ...(row.primary_region !== null && { primaryRegion: row.primary_region }),
    ...(row.current_material_id !== null && { currentMaterialId: row.current_material_id }),
    policy: row.policy,
    policyPrincipals: JSON.parse(row.policy_principals) as KeyRecord['policyPrincipals'],
    tags: JSON.parse(row.tags) as KeyRecord['tags'],
    rowVersion: row.row_version,
  }
}

/** `key` one version later. An optional member that `changes` holds as undefined is gone. */
export function changedKey(key: KeyRecord, changes: KeyChanges): KeyRecord {
  const optional = { ...optionalMembers(key), ...presentOptional(changes) }
  const { deletionDate, pendingWindowDays, primaryRegion, currentMaterialId } = optional
  return {
    accountId: key.accountId,
    region: key.region,
    keyId: key.keyId,
    spec: key.spec,
    usage: key.usage,
    origin: key.origin,
    manager: key.manager,
    state: changes.state ?? key.state,
    description: changes.description ?? key.description,
    createdAt: key.createdAt,
    ...(deletionDate !== undefined && { deletionDate }),
    ...(pendingWindowDays !== undefined && { pendingWindowDays }),
    ...(primaryRegion !== undefined && { primaryRegion }),
    ...(currentMaterialId !== undefined && { currentMaterialId }),
    policy: changes.policy ?? key.policy,
    policyPrincipals: changes.policyPrincipals ?? key.policyPrincipals,
    tags: changes.tags ?? key.tags,
    rowVersion: key.rowVersion + 1,
  }
}

const optionalNames = [
  'deletionDate',
  'pendingWindowDays',
  'primaryRegion',
  'currentMaterialId',
] as const

type Optional = Pick<KeyChanges, (typeof optionalNames)[number]>

function optionalMembers(key: KeyRecord): Optional {
  const { deletionDate, pendingWindowDays, primaryRegion, currentMaterialId } = key
  return { deletionDate, pendingWindowDays, primaryRegion, currentMaterialId }
}

/** Keeps the difference between a member that is left out and one that is undefined. */
function presentOptional(changes: KeyChanges): Optional {
  const present = optionalNames
    .filter((name) => Object.hasOwn(changes, name))
    .map((name) => [name, changes[name]])
  return Object.fromEntries(present) as Optional // each name came with its own value
}
