/**
 * Finds the role that a call is to assume, by its ARN in any account. A caller that the role does not
 * trust must not learn whether it exists.
 * @module
 */
import { KmsError } from '../errors.ts'
import { parseArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { readIdentityResource } from '../model/identity.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { AssumedRoleUse, Operation } from '../operations/contract/operation.ts'
import type { StoreReads } from '../store/store.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { tagEntries } from '../cache/cached-identities.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type { CachedRole, Lookup } from '../cache/cached-records.ts'
import type { AssumedRole } from './resolved.ts'

interface Naming {
  readonly caller: Caller
  readonly scope: RequestScope
}

interface AssumedRoleDependencies {
  readonly store: Pick<StoreReads, 'findRoleByName'>
  readonly lookup: Pick<Lookup, 'role'>
}

/** @throws {KmsError} `ValidationException` when the ARN is not a role's */
export function resolveAssumedRole(
  naming: Naming,
  { assumes }: Pick<Operation, 'assumes'>,
  input: Readonly<Record<string, unknown>>,
  dependencies: AssumedRoleDependencies,
): Awaitable<AssumedRole | undefined> {
  return assumes === undefined ? undefined : findAssumedRole(naming, assumes, input, dependencies)
}

async function findAssumedRole(
  { caller, scope }: Naming,
  assumes: AssumedRoleUse,
  input: Readonly<Record<string, unknown>>,
  { store, lookup }: AssumedRoleDependencies,
): Promise<AssumedRole> {
  const arn = String(input[assumes.from])
  const parsed = parseArn(arn)
  const named = parsed && readIdentityResource('role', parsed.resource)
  if (
    parsed?.service !== 'iam' ||
    parsed.region !== '' ||
    parsed.partition !== scope.partition ||
    named === undefined
  ) {
    throw new KmsError('ValidationException', `${arn} is invalid`)
  }
  const { accountId } = parsed
  const record = await store.findRoleByName(accountId, named.name)
  const known = record?.path === named.path ? await lookup.role(record.roleId) : undefined
  const entries = known === undefined ? {} : roleTags(known)
  const actions = assumes.actions(input as never, caller) // checked by the operation's shapes
  return { actions, arn, accountId, entries, ...(known && { known }) }
}

function roleTags({ record }: CachedRole): ContextEntries {
  return { ...tagEntries('aws:ResourceTag', record), ...tagEntries('iam:ResourceTag', record) }
}
