/** Step 4: resolves the names in a call to keys, aliases, grants, users, groups and roles. @module */
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { StoreReads } from '../store/store.ts'
import { resolveAssumedRole } from './assumed-roles.ts'
import { resolveIdentities } from './identities.ts'
import { unmadeKeyOf } from './unmade-keys.ts'
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
export function resolveCall(
  operation: Operation,
  input: Readonly<Record<string, unknown>>,
  resolving: ResolvingCall,
): Awaitable<ResolvedNames> {
  const { lookup, store } = resolving
  const keys = andThen(lookup.refresh(), () => resolveKeys(operation, input, resolving))
  return andThen(keys, (named) =>
    andThen(resolveIdentities(resolving, operation, input, store), (identities) =>
      andThen(resolveAssumedRole(resolving, operation, input, resolving), (assumed) => ({
        ...named,
        ...unmadeKeyOf(named),
        identities,
        ...(assumed && { assumed }),
      })),
    ),
  )
}
