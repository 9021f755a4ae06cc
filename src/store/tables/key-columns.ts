/** Converts a KMS key to a row of `keys`, and back. @module */
import type { KeyRecord } from '../../model/key.ts'
import { defined } from '../defined.ts'
import type { KeysTable } from '../schema/schema.ts'
import type { KeyChanges } from '../store.ts'
import type { ExpirationModel } from '../../model/expiration.ts'

/** `row_version` is included, because the row's tag covers every column that is returned here. */
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
    rotation_period_days: key.rotationPeriodDays ?? null,
    next_rotation_at: key.nextRotationAt ?? null,
    on_demand_rotation_started_at: key.onDemandRotationStartedAt ?? null,
    transition_started_at: key.transitionStartedAt ?? null,
    material_expiration_model: key.materialExpirationModel ?? null,
    material_expires_at: key.materialExpiresAt ?? null,
    row_version: key.rowVersion,
  }
}

/** @param row has a valid tag: `keyColumns` wrote it, so its values and its JSON are valid */
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
    policy: row.policy,
    policyPrincipals: JSON.parse(row.policy_principals) as KeyRecord['policyPrincipals'],
    tags: JSON.parse(row.tags) as KeyRecord['tags'],
    ...defined({
      deletionDate: row.deletion_date,
      pendingWindowDays: row.pending_window_days,
      primaryRegion: row.primary_region,
      currentMaterialId: row.current_material_id,
      rotationPeriodDays: row.rotation_period_days,
      nextRotationAt: row.next_rotation_at,
      onDemandRotationStartedAt: row.on_demand_rotation_started_at,
      transitionStartedAt: row.transition_started_at,
      materialExpirationModel: row.material_expiration_model as ExpirationModel | null,
      materialExpiresAt: row.material_expires_at,
    }),
    rowVersion: row.row_version,
  }
}

/** The next version of `key`. A member that is undefined in `changes` is removed. */
export function changedKey(key: KeyRecord, changes: KeyChanges): KeyRecord {
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
    policy: changes.policy ?? key.policy,
    policyPrincipals: changes.policyPrincipals ?? key.policyPrincipals,
    tags: changes.tags ?? key.tags,
    ...defined({ ...optionalMembers(key), ...optionalMembers(changes) }),
    rowVersion: key.rowVersion + 1,
  }
}

const optionalNames = [
  'deletionDate',
  'pendingWindowDays',
  'primaryRegion',
  'currentMaterialId',
  'rotationPeriodDays',
  'nextRotationAt',
  'onDemandRotationStartedAt',
  'transitionStartedAt',
  'materialExpirationModel',
  'materialExpiresAt',
] as const

type Optional = Pick<KeyChanges, (typeof optionalNames)[number]>

/** Keeps absent members distinct from members that are undefined. */
function optionalMembers(key: Optional): Optional {
  const present = optionalNames
    .filter((name) => Object.hasOwn(key, name))
    .map((name) => [name, key[name]])
  return Object.fromEntries(present) as Optional // each name came with its own value
}
