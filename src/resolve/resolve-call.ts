/** Step 4: resolves the names in a call to keys, aliases, grants, users, groups and roles. @module */
import type { Operation } from '../operations/contract/operation.ts'
import type { StoreReads } from '../store/store.ts'
import { resolveAssumedRole } from './assumed-roles.ts'
import { resolveIdentities } from './identities.ts'
import { resolveKeys } from './resolve.ts'
import type { ResolvedNames, Resolving } from './resolved.ts'

/** The stores and caches in which names are looked up. */
export interface ResolvingCall extends Resolving {
  readonly store: Pick<
    StoreReads,
    'findUser' | 'findUserByName' | 'findRoleByName' | 'findGroupByName' | 'findManagedPolicy'
  >
}

/** @throws {KmsError} in AWS's words for a name that resolves to nothing */
export async function resolveCall(
  operation: Operation,
  input: Readonly<Record<string, unknown>>,
  resolving: ResolvingCall,
): Promise<ResolvedNames> {
  const refreshed = resolving.lookup.refresh()
  if (refreshed !== undefined) await refreshed
  const named = await resolveKeys(operation, input, resolving)
  const identities = await resolveIdentities(resolving, operation, input, resolving.store)
  const assumed = await resolveAssumedRole(resolving, operation, input, resolving)
  return { ...named, identities, ...(assumed && { assumed }) }
}
