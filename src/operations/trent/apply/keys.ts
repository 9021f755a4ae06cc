/**
 * Applies the keys of a document: creates them with the given id and material, or compares existing ones.
 * Spec, usage, origin and material of a key cannot change, so a difference is an error.
 * @module
 */
import { copyMaterialStates, sharedOf, updateShared } from '../../../lifecycle/related-keys.ts'
import { settleWaiting } from '../../../lifecycle/waiting-material.ts'
import { keyArn, type KeyRecord, type KeyRef } from '../../../model/key.ts'
import { defaultRotationDays, rotationFrom, rotationScheduleOf } from '../../../model/rotation.ts'
import { StaleRow } from '../../../store/store.ts'
import { requireUnderQuota } from '../../kms/resource-quota.ts'
import type { Applying } from './applying.ts'
import { importFixedMaterial, requireSameMaterials, storeMaterials } from './fixed-materials.ts'
import type { KeyEntry, ReplicaEntry } from './document.ts'
import { requireServed, type PreparedKey } from './key-materials.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import { applyBelongings, regionalChanges } from './regional-keys.ts'

export async function applyKey(
  applying: Applying,
  accountId: string,
  entry: KeyEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, prepared } = applying
  const wanted = prepared.get(entry)
  if (wanted === undefined) throw new Error('a key of the document was not prepared')
  const ref = { accountId, region: entry.region ?? applying.region, keyId: entry.keyId }
  const before = await transaction.findKey(ref)
  if (before === undefined) await insertKey(applying, ref, wanted, { entry, place })
  else {
    requireSameKey(before, entry, wanted, { partition, place })
    await requireSameMaterials(applying, before, wanted, place)
  }
  const brought = wanted.origin === 'EXTERNAL' && (await importFixedMaterial(applying, ref, wanted))
  const isNew = before === undefined
  const settled = await settleKey(applying, ref, { entry, place, isNew })
  const members = [...(brought ? ['material'] : []), ...settled]
  const arn = keyArn(partition, ref)
  if (isNew) applying.note({ change: 'create', type: 'key', name: arn })
  else if (members.length > 0) {
    applying.note({ change: 'update', type: 'key', name: arn, members })
  }
  await applyBelongings(applying, await found(applying, ref), entry, { place, isNew })
  for (const [index, replica] of (entry.replicas ?? []).entries()) {
    await applyReplica(applying, ref, replica, [...place, 'replicas', index])
  }
}

async function insertKey(
  applying: Applying,
  ref: KeyRef,
  wanted: PreparedKey,
  { entry, place }: { readonly entry: KeyEntry; readonly place: DocumentPath },
): Promise<void> {
  const { transaction, now, dependencies } = applying
  const { spec, usage, origin, materials } = wanted
  // The key was deleted after the materials were prepared. A retry prepares them again.
  if (origin === 'AWS_KMS' && materials.length === 0) throw new StaleRow('the key is gone')
  await requireKeyQuota(applying, ref, place)
  const isOwn = origin === 'AWS_KMS'
  const current = materials.at(-1)?.materialId
  await transaction.insertKey({
    ...ref,
    spec,
    usage,
    origin,
    manager: 'CUSTOMER',
    state: isOwn ? 'Enabled' : 'PendingImport',
    description: '',
    createdAt: now,
    ...(entry.multiRegion === true && { primaryRegion: ref.region }),
    ...(isOwn && current !== undefined && { currentMaterialId: current }),
    policy: dependencies.policies.defaultFor(applying.partition, ref.accountId),
    policyPrincipals: {},
    tags: [],
  })
  if (isOwn) await storeMaterials(applying, ref, materials)
}

async function requireKeyQuota(
  { transaction, dependencies }: Applying,
  { accountId, region }: KeyRef,
  place: DocumentPath,
): Promise<void> {
  const count = (): Promise<number> => transaction.countKeys(accountId, region)
  const quota = 'KMS keys quota for this account in this region'
  await placed(place, () => requireUnderQuota(dependencies.quotas.resources.keys, count, quota))
}

function requireSameKey(
  present: KeyRecord,
  entry: KeyEntry,
  wanted: PreparedKey,
  { partition, place }: { readonly partition: string; readonly place: DocumentPath },
): void {
  const arn = keyArn(partition, present)
  const said: readonly (readonly [keyof KeyEntry, string, string])[] = [
    ['keySpec', wanted.spec, present.spec],
    ['keyUsage', wanted.usage, present.usage],
    ['origin', wanted.origin, present.origin],
  ]
  for (const [member, says, is] of said) {
    const at = entry[member] === undefined ? place : [...place, member]
    if (says !== is) throw refusalAt(at, `${arn} exists with ${is}, not ${says}`)
  }
  const multiRegion = present.primaryRegion === undefined ? undefined : present.region
  if (present.primaryRegion !== multiRegion) {
    throw refusalAt([...place, 'keyId'], `${arn} is a replica`)
  }
  requireLiving(present, arn, place)
}

function requireLiving({ state, manager }: KeyRecord, arn: string, place: DocumentPath): void {
  if (manager === 'AWS') throw refusalAt([...place, 'keyId'], `${arn} is managed by AWS`)
  if (state !== 'PendingDeletion' && state !== 'PendingReplicaDeletion') return
  throw refusalAt([...place, 'keyId'], `${arn} is pending deletion: cancel the deletion first`)
}

/** Changes an existing key. Returns the changed members. */
async function settleKey(
  applying: Applying,
  ref: KeyRef,
  of: { readonly entry: KeyEntry; readonly place: DocumentPath; readonly isNew: boolean },
): Promise<readonly string[]> {
  const { transaction, alsoRecords, now } = applying
  const key = await found(applying, ref)
  const changes = await regionalChanges(applying, key, of.entry, of)
  const members = Object.keys(changes).filter((name) => name !== 'policyPrincipals')
  if (members.length > 0) await transaction.updateKey(key, changes)
  const { rotationPeriodInDays: asked, enableKeyRotation: on = asked !== undefined || undefined } =
    of.entry
  if (on === undefined) return members
  const present = rotationScheduleOf(key)?.periodDays
  const periodDays = on ? (asked ?? present ?? defaultRotationDays) : undefined
  if (periodDays === present) return members
  const schedule =
    periodDays === undefined
      ? { rotationPeriodDays: undefined, nextRotationAt: undefined }
      : rotationFrom(now, periodDays)
  for (const event of await updateShared(transaction, await found(applying, ref), schedule)) {
    alsoRecords(event)
  }
  return [...members, 'enableKeyRotation']
}

async function applyReplica(
  applying: Applying,
  primaryRef: KeyRef,
  entry: ReplicaEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, note, dependencies } = applying
  const ref = { ...primaryRef, region: entry.region }
  requireServed(entry.region, partition, dependencies, [...place, 'region'])
  const before = await transaction.findKey(ref)
  const arn = keyArn(partition, ref)
  if (before !== undefined) {
    if (before.primaryRegion !== primaryRef.region) {
      throw refusalAt([...place, 'region'], `${arn} is not a replica of this key`)
    }
    requireLiving(before, arn, place)
  } else await insertReplica(applying, await found(applying, primaryRef), ref, place)
  const isNew = before === undefined
  const key = await found(applying, ref)
  const changes = await regionalChanges(applying, key, entry, { place, isNew })
  const members = Object.keys(changes).filter((name) => name !== 'policyPrincipals')
  if (members.length > 0) await transaction.updateKey(key, changes)
  if (isNew) note({ change: 'create', type: 'key', name: arn })
  else if (members.length > 0) note({ change: 'update', type: 'key', name: arn, members })
  await applyBelongings(applying, await found(applying, ref), entry, { place, isNew })
}

async function insertReplica(
  applying: Applying,
  primary: KeyRecord,
  ref: KeyRef,
  place: DocumentPath,
): Promise<void> {
  const { transaction, now, partition, dependencies } = applying
  await requireKeyQuota(applying, ref, place)
  // Conflicts with concurrent changes to shared properties, and with a deletion of the primary.
  await transaction.updateKey(primary, {})
  const replica = await transaction.insertKey({
    ...sharedOf(primary),
    ...ref,
    state: 'Enabled',
    description: '',
    createdAt: now,
    policy: dependencies.policies.defaultFor(partition, ref.accountId),
    policyPrincipals: {},
    tags: [],
  })
  await copyMaterialStates(transaction, primary, replica)
  await settleWaiting(transaction, replica)
}

async function found({ transaction }: Applying, ref: KeyRef): Promise<KeyRecord> {
  const key = await transaction.findKey(ref)
  if (key === undefined) throw new Error('a written key is missing')
  return key
}
