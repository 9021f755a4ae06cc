/**
 * Keys that AWS would manage and that nobody has asked for yet: they are decided on as if they were there,
 * and made only for who may use them.
 * @module
 */
import { compilePolicy } from '../policy/compile.ts'
import { managedKeyRecord, type UnmadeKey } from '../lifecycle/managed-keys.ts'
import { managedKeyKindOf } from '../model/managed-key.ts'
import type { KeyUse, Operation } from '../operations/contract/operation.ts'
import { readIdentifier } from '../model/identifiers.ts'
import type { CachedKey } from '../cache/cached-records.ts'
import type { ResolvedKeys, ResolvedKey, Resolving } from './resolved.ts'

/**
 * The key that a call names by an alias which there is not, and which AWS would make: for the first call
 * through its service, or for a DescribeKey, in the caller's own account.
 */
export async function unmadeKey(
  use: KeyUse,
  input: Readonly<Record<string, unknown>>,
  operation: Pick<Operation, 'service' | 'name'>,
  { caller, scope, lookup }: Pick<Resolving, 'caller' | 'scope' | 'lookup'>,
): Promise<ResolvedKey | undefined> {
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
  if (!(described || throughIt) || (await lookup.alias(alias)) !== undefined) return undefined
  const unmade = { alias, kind, partition: scope.partition }
  const { name: requestAlias } = alias
  return { use, namedBy: 'identifier', requestAlias, known: asKnown(unmade), unmade }
}

/** Told to nobody: no key has it. */
const noKeyId = '00000000-0000-0000-0000-000000000000'

/** As it would be, to be decided on. */
function asKnown(unmade: UnmadeKey): CachedKey {
  const record = { ...managedKeyRecord(unmade, 0), keyId: noKeyId, rowVersion: 0 }
  return { record, policy: compilePolicy(record.policy, 'key') }
}

/** The first of a call's keys that is not there yet. */
export function unmadeKeyIn({ keys }: Pick<ResolvedKeys, 'keys'>): UnmadeKey | undefined {
  return [...keys.values()].flatMap(({ unmade }) => unmade ?? [])[0]
}
