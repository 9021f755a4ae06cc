/**
 * AWS managed keys that do not exist yet. They are authorized as if they existed, and created only for
 * callers that may use them.
 * @module
 */
import { andThen, type Awaitable } from '../model/awaitable.ts'
import { compilePolicy } from '../policy/compile.ts'
import { managedKeyRecord, type UnmadeKey } from '../lifecycle/managed-keys.ts'
import { managedKeyKindOf } from '../model/managed-key.ts'
import type { KeyUse, Operation } from '../operations/contract/operation.ts'
import { readIdentifier } from '../model/identifiers.ts'
import type { CachedKey } from '../cache/cached-records.ts'
import type { ResolvedKeys, ResolvedKey, ResolvedNames, Resolving } from './resolved.ts'

/**
 * The key for an alias that does not exist and that AWS would create: at the first call through its
 * service, or at a DescribeKey, in the caller's own account.
 */
export function unmadeKey(
  use: KeyUse,
  input: Readonly<Record<string, unknown>>,
  operation: Pick<Operation, 'service' | 'name'>,
  { caller, scope, lookup }: Pick<Resolving, 'caller' | 'scope' | 'lookup'>,
): Awaitable<ResolvedKey | undefined> {
  const named = input[use.from]
  if (typeof named !== 'string' || !named.includes('alias/aws/') || use.forms !== 'any') {
    return undefined
  }
  const identifier = readIdentifier(named, use.forms, scope)
  if (identifier.kind !== 'alias') return undefined
  const { alias } = identifier
  const kind = managedKeyKindOf(alias.name)
  if (kind === undefined || alias.accountId !== caller.accountId) return undefined
  const described = operation.service === 'kms' && operation.name === 'DescribeKey'
  const throughIt = caller.forwarded?.service.name === `${kind.via}.amazonaws.com`
  if (!(described || throughIt)) return undefined
  return andThen(lookup.alias(alias), (record): ResolvedKey | undefined => {
    if (record !== undefined) return undefined
    const unmade = { alias, kind, partition: scope.partition }
    const { name: requestAlias } = alias
    return { use, namedBy: 'identifier', requestAlias, known: asKnown(unmade), unmade }
  })
}

/** A placeholder that no key has and no caller sees. */
const noKeyId = '00000000-0000-0000-0000-000000000000'

/** The key as it would be created, for authorization. */
function asKnown(unmade: UnmadeKey): CachedKey {
  const record = { ...managedKeyRecord(unmade, 0), keyId: noKeyId, rowVersion: 0 }
  return { record, policy: compilePolicy(record.policy, 'key') }
}

/** The first key of a call that does not exist yet. */
export function unmadeKeyOf({ keys }: Pick<ResolvedKeys, 'keys'>): Pick<ResolvedNames, 'unmade'> {
  for (const { unmade } of keys.values()) if (unmade !== undefined) return { unmade }
  return {}
}
