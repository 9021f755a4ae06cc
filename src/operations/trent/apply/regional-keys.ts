/** Applies what a key and each replica have on their own: settings, aliases and grants. @module */
import type { Caller } from '../../../model/caller.ts'
import { keyArn, type KeyRecord } from '../../../model/key.ts'
import type { KeyChanges } from '../../../store/tables/key-rows.ts'
import { applyAliases } from './aliases.ts'
import { documentText, sameDocument, sameMap, type Applying } from './applying.ts'
import type { RegionalEntry } from './document.ts'
import { applyGrants } from './grants.ts'
import { type DocumentPath, placed } from './document-path.ts'
import { keyTagsOf } from './tags.ts'

interface At {
  readonly place: DocumentPath
  readonly isNew: boolean
}

/** Returns the members that differ. */
export async function regionalChanges(
  applying: Applying,
  key: KeyRecord,
  entry: RegionalEntry,
  { place, isNew }: At,
): Promise<KeyChanges> {
  const { description = key.description, enabled } = entry
  const tags = await keyTagsOf(key.tags, entry.tags, [...place, 'tags'], applying.prune)
  const state = enabled === undefined ? undefined : enabledState(key, enabled)
  return {
    ...(description !== key.description && { description }),
    ...(await policyOf(applying, key, entry, { place: [...place, 'policy'], isNew })),
    ...(tags !== undefined && { tags }),
    ...(state !== undefined && state !== key.state && { state }),
  }
}

/** Switches between `Enabled` and `Disabled`; other states stay. */
function enabledState({ state }: KeyRecord, enabled: boolean): KeyRecord['state'] {
  if (state !== 'Enabled' && state !== 'Disabled') return state
  return enabled ? 'Enabled' : 'Disabled'
}

/** The policy also changes if a principal was recreated, because it has another unique id. */
async function policyOf(
  { checks, partition, origin }: Applying,
  key: KeyRecord,
  entry: RegionalEntry,
  { place }: At,
): Promise<Pick<KeyChanges, 'policy' | 'policyPrincipals'>> {
  if (entry.policy === undefined) return {}
  const policy = documentText(entry.policy)
  // For the lockout check, the account's root user must be able to change the policy again.
  const call = { caller: rootOf(partition, key.accountId), partition, region: key.region, origin }
  const bypass = entry.bypassPolicyLockoutSafetyCheck ?? false
  const policyPrincipals = await placed(place, () =>
    checks.policies.check(policy, key, call, bypass),
  )
  const same = sameDocument(policy, key.policy)
  if (same && sameMap(policyPrincipals, key.policyPrincipals)) return {}
  return { policy: same ? key.policy : policy, policyPrincipals }
}

function rootOf(partition: string, accountId: string): Caller {
  const arn = `arn:${partition}:iam::${accountId}:root`
  return { kind: 'root', accountId, arn, uniqueId: accountId }
}

export async function applyBelongings(
  applying: Applying,
  key: KeyRecord,
  entry: RegionalEntry,
  { place, isNew }: At,
): Promise<void> {
  await applyAliases(applying, key, entry.aliases ?? [], [...place, 'aliases'])
  const arn = keyArn(applying.partition, key)
  await applyGrants(applying, key, entry.grants ?? [], { place: [...place, 'grants'], arn, isNew })
}
