/**
 * Resolves the identifiers and ciphertexts of a call to keys and aliases. Some results must stay hidden
 * from the caller: a key of another account that may not exist, and a ciphertext of an unknown key.
 * These are not errors here. They are left unresolved, and authorization refuses them with one message
 * for both cases.
 * @module
 */
import { materialIdOf } from '../crypto/ciphertext-material.ts'
import { grantNamesOf } from '../policy/caller-names.ts'
import { KmsError } from '../errors.ts'
import { grantOperations, type GrantOperation, type GrantRecord } from '../model/grant.ts'
import type { GrantQuestion } from '../model/grant-terms.ts'
import { allOf, andThen, forEach, type Awaitable } from '../model/awaitable.ts'
import { parseArn } from '../model/arn.ts'
import { aliasArn, keyArn, type AliasRecord, type AliasRef, type KeyRef } from '../model/key.ts'
import type { KeyUse, Operation } from '../operations/contract/operation.ts'
import { grantNotFound, readGrantId } from '../model/grant-id.ts'
import { readIdentifier, type RequestScope } from '../model/identifiers.ts'
import { unmadeKey } from './unmade-keys.ts'
import type { Lookup } from '../cache/cached-records.ts'
import type { ResolvedKey, ResolvedKeys, Resolving } from './resolved.ts'

type Given = Readonly<Record<string, unknown>>

/** @throws {KmsError} in AWS's words for a name that resolves to nothing */
export function resolveKeys(
  operation: Operation,
  input: Given,
  resolving: Resolving,
): Awaitable<ResolvedKeys> {
  const { scope, lookup } = resolving
  return andThen(requireGrantTokens(input, resolving), () =>
    andThen(grantOfToken(operation, input, resolving), (tokened) =>
      andThen(resolveAlias(operation, input, scope, lookup), (alias) => {
        const named = { ...(tokened && { tokened }), ...(alias && { alias }) }
        return resolveUses(operation, input, resolving, named)
      }),
    ),
  )
}

/** What a call names in addition to its keys. */
interface AlsoNamed {
  /** The grant of its grant token. */
  readonly tokened?: GrantRecord
  readonly alias?: NonNullable<ResolvedKeys['alias']>
}

function resolveUses(
  operation: Operation,
  input: Given,
  resolving: Resolving,
  { tokened, alias }: AlsoNamed,
): Awaitable<ResolvedKeys> {
  const keys = new Map<string, ResolvedKey>()
  const resolveUse = (name: string): Awaitable<unknown> => {
    const use = operation.keys[name] as KeyUse // it is one of its own names
    const { scope, lookup } = resolving
    const found =
      alias !== undefined && operation.alias?.target === name
        ? keyOfAlias(use, alias, scope, lookup)
        : tokened !== undefined && use.token === operation.grant?.token
          ? keyByRef(use, tokened, scope, lookup)
          : use.region !== undefined
            ? relatedKey(use, input, scope, lookup)
            : andThen(
                unmadeKey(use, input, operation, resolving),
                (unmade) => unmade ?? resolveKey(use, input, scope, lookup),
              )
    return andThen(found, (key) => {
      if (key === undefined) return undefined
      const granted = withGrants(key, operation, input, resolving)
      return andThen(granted, (complete) => void keys.set(name, complete))
    })
  }
  const resolved = forEach(Object.keys(operation.keys), resolveUse)
  const grant = andThen(resolved, () => tokened ?? resolveGrant(operation, input, keys, resolving))
  return andThen(grant, (found) => ({
    keys,
    ...(alias && { alias }),
    ...(found && { grant: found }),
  }))
}

function grantOfToken(
  { grant }: Operation,
  input: Given,
  { grantTokens, scope }: Resolving,
): Awaitable<GrantRecord | undefined> {
  const token = grant === undefined ? undefined : input[grant.token]
  return typeof token === 'string' ? grantTokens.find(token, scope.region) : undefined
}

const grantable: ReadonlyMap<string, GrantOperation> = new Map(
  grantOperations.map((name) => [`kms:${name}`, name]),
)

/** Adds the grants that allow the call to the caller. For retiring, that is only the named grant. */
function withGrants(
  key: ResolvedKey,
  operation: Operation,
  input: Given,
  { caller, scope, lookup, sourceArn = caller.service?.sourceArn, grantsMax = 1 }: Resolving,
): Awaitable<ResolvedKey> {
  const { known, use } = key
  const given = grantable.get(use.action)
  if (known === undefined || given === undefined || use.token !== undefined) return key
  const encryptionContext = use.encryptionContext && input[use.encryptionContext]
  const requested = operation.requestedGrant?.(input)
  const question: GrantQuestion = {
    operation: given,
    // A map of strings: the operation's shape has checked it.
    ...(encryptionContext !== undefined && {
      encryptionContext: encryptionContext as Readonly<Record<string, string>>,
    }),
    ...(sourceArn !== undefined && { sourceArn }),
    ...(requested && { requested }),
  }
  const names = grantNamesOf(caller, scope.partition)
  const found = names.map((name) => lookup.grantsGiving(known.record, name, question, grantsMax))
  return andThen(allOf(found), (lists) => {
    const grants = lists.flat()
    return grants.length === 0 ? key : { ...key, grants }
  })
}

/** @throws {KmsError} `InvalidGrantIdException`, `NotFoundException` for a grant in the caller's account */
function resolveGrant(
  operation: Operation,
  input: Given,
  keys: ReadonlyMap<string, ResolvedKey>,
  { caller, findGrant }: Resolving,
): Awaitable<GrantRecord | undefined> {
  const id = operation.grant === undefined ? undefined : input[operation.grant.from]
  if (operation.grant === undefined || typeof id !== 'string') return undefined
  const grantId = readGrantId(id)
  const key = keys.get(operation.grant.key)?.known?.record
  if (key === undefined) return undefined // hidden: authorization refuses it
  return findGrant({ ...refOf(key), grantId }).then((grant) => {
    // For another account, a missing grant is like a grant that allows nothing.
    if (grant === undefined && key.accountId === caller.accountId) throw grantNotFound(grantId)
    return grant
  })
}

function refOf({ accountId, region, keyId }: KeyRef): KeyRef {
  return { accountId, region, keyId }
}

function resolveKey(
  use: KeyUse,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey | undefined> {
  const named = input[use.from]
  if (typeof named === 'string') {
    return andThen(
      keyByRelative(use, named, input, scope, lookup),
      (relative) => relative ?? keyByIdentifier(use, named, scope, lookup),
    )
  }
  const ciphertext = use.ciphertext === undefined ? undefined : input[use.ciphertext]
  if (!(ciphertext instanceof Uint8Array)) return undefined
  const materialId = materialIdOf(ciphertext)
  if (materialId === undefined) throw new KmsError('InvalidCiphertextException')
  const found = andThen(
    lookup.material(materialId),
    (material) => material && lookup.key({ ...material, region: scope.region }),
  )
  return andThen(found, (known) => ({ use, namedBy: 'ciphertext', ...(known && { known }) }))
}

/** The key of the same id in the Region that the call names, if it exists. */
function relatedKey(
  use: KeyUse,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey | undefined> {
  const named = input[use.from]
  const region = use.region === undefined ? undefined : input[use.region]
  if (typeof named !== 'string' || typeof region !== 'string' || region === scope.region) {
    return undefined
  }
  const identifier = readIdentifier(named, 'key', scope)
  if (identifier.kind !== 'key') return undefined
  const found = lookup.key({ ...identifier.key, region })
  return andThen(
    found,
    (known): ResolvedKey | undefined => known && { use, namedBy: 'identifier', known },
  )
}

/**
 * The multi-Region key of this Region, when the call names its relative in another Region and sends
 * that one's ciphertext. Undefined for all other names, and for keys of other accounts: their callers
 * must not learn whether it exists here.
 */
function keyByRelative(
  use: KeyUse,
  named: string,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey | undefined> {
  const ciphertext = use.ciphertext === undefined ? undefined : input[use.ciphertext]
  const arn = parseArn(named)
  if (!(ciphertext instanceof Uint8Array) || arn === undefined || arn.region === scope.region) {
    return undefined
  }
  const materialId = materialIdOf(ciphertext)
  if (materialId === undefined) return undefined
  const found = andThen(lookup.material(materialId), (material) => {
    if (material?.accountId !== scope.accountId) return undefined
    const { accountId, keyId } = material
    const relative = keyArn(scope.partition, { accountId, region: arn.region, keyId })
    return relative === named ? lookup.key({ ...material, region: scope.region }) : undefined
  })
  return andThen(
    found,
    (known): ResolvedKey | undefined =>
      known && { use, namedBy: 'identifier', known, elsewhere: true },
  )
}

function keyByIdentifier(
  use: KeyUse,
  text: string,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey> {
  const identifier = readIdentifier(text, use.forms, scope)
  if (identifier.kind === 'key') return keyByRef(use, identifier.key, scope, lookup)
  return andThen(lookup.alias(identifier.alias), (alias): Awaitable<ResolvedKey> => {
    if (alias === undefined) {
      if (identifier.alias.accountId !== scope.accountId) return { use, namedBy: 'identifier' }
      throw aliasNotFound(identifier.alias, scope)
    }
    const named = keyByRef(use, targetOf(alias), scope, lookup)
    return andThen(named, (key) => ({ ...key, requestAlias: alias.name }))
  })
}

function keyByRef(
  use: KeyUse,
  ref: KeyRef,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey> {
  return andThen(lookup.key(ref), (known): ResolvedKey => {
    if (known === undefined && ref.accountId === scope.accountId) {
      const arn = keyArn(scope.partition, ref)
      throw new KmsError('NotFoundException', `Key '${arn}' does not exist`)
    }
    return { use, namedBy: 'identifier', ...(known && { known }) }
  })
}

function resolveAlias(
  operation: Operation,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKeys['alias']> {
  const name = operation.alias === undefined ? undefined : input[operation.alias.from]
  if (typeof name !== 'string') return undefined
  const alias = { accountId: scope.accountId, region: scope.region, name }
  return andThen(lookup.alias(alias), (record) => {
    if (record === undefined && operation.alias?.target !== undefined) {
      throw aliasNotFound(alias, scope)
    }
    return record === undefined ? alias : { ...alias, record }
  })
}

function keyOfAlias(
  use: KeyUse,
  alias: NonNullable<ResolvedKeys['alias']>,
  scope: RequestScope,
  lookup: Lookup,
): Awaitable<ResolvedKey> {
  // `resolveAlias` refuses a missing alias when its target is needed.
  const keyId = alias.record?.targetKeyId ?? ''
  return keyByRef(use, { ...alias, keyId }, scope, lookup)
}

function targetOf(alias: AliasRecord): KeyRef {
  return { accountId: alias.accountId, region: alias.region, keyId: alias.targetKeyId }
}

export function aliasNotFound(alias: AliasRef, scope: RequestScope): KmsError {
  return new KmsError(
    'NotFoundException',
    `Alias ${aliasArn(scope.partition, alias)} is not found.`,
  )
}

/**
 * Checks that each grant token is valid. The grant itself is effective without it. @throws {KmsError}
 * `InvalidGrantTokenException`
 */
function requireGrantTokens(input: Given, { grantTokens, scope }: Resolving): Awaitable<unknown> {
  const tokens = input['GrantTokens']
  if (!Array.isArray(tokens)) return undefined
  return forEach(tokens, (token) => grantTokens.find(String(token), scope.region))
}

/**
 * Compares the ciphertext of a call with the named key. AWS checks this before usage and state.
 * @throws {KmsError} `IncorrectKeyException`
 */
export function requireMatchingKey(
  key: ResolvedKey,
  input: Given,
  lookup: Lookup,
): Awaitable<void> {
  const { use, known, namedBy } = key
  if (key.elsewhere) throw incorrectKey()
  const ciphertext = use.ciphertext === undefined ? undefined : input[use.ciphertext]
  if (known === undefined || namedBy === 'ciphertext' || !(ciphertext instanceof Uint8Array)) return
  if (ignoresCiphertext(input)) return
  // Ciphertexts of other specs have no header. One with a header belongs to a key with another usage.
  const { spec, usage } = known.record
  if (spec !== 'SYMMETRIC_DEFAULT' && usage === use.usage) return
  const materialId = materialIdOf(ciphertext)
  if (materialId === undefined) return // decrypting it, or the usage check, fails later
  return andThen(lookup.material(materialId), (material) => {
    const { accountId, keyId } = known.record
    if (material?.accountId !== accountId || material.keyId !== keyId) throw incorrectKey()
  })
}

function incorrectKey(): KmsError {
  return new KmsError(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
}

/** Whether a dry run asks to ignore the ciphertext. */
function ignoresCiphertext(input: Given): boolean {
  const modifiers = input['DryRunModifiers']
  return Array.isArray(modifiers) && modifiers.includes('IGNORE_CIPHERTEXT')
}
