/**
 * Resolves the identifiers and ciphertexts of a call to keys and aliases. Some results must stay hidden
 * from the caller: a key of another account that may not exist, and a ciphertext of an unknown key.
 * These are not errors here. They are left unresolved, and authorization refuses them with one message
 * for both cases.
 * @module
 */
import { materialIdOf } from '../crypto/blob.ts'
import { grantNamesOf } from '../policy/caller-names.ts'
import { KmsError } from '../errors.ts'
import type { Grant } from '../policy/decision.ts'
import { grantOperations, type GrantOperation, type GrantRecord } from '../model/grant.ts'
import type { GrantQuestion } from '../model/grant-terms.ts'
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
export async function resolveKeys(
  operation: Operation,
  input: Given,
  resolving: Resolving,
): Promise<ResolvedKeys> {
  const { scope, lookup } = resolving
  await requireGrantTokens(input, resolving)
  const token = operation.grant === undefined ? undefined : input[operation.grant.token]
  const tokened =
    typeof token === 'string' ? await resolving.grantTokens.find(token, scope.region) : undefined
  const alias = await resolveAlias(operation, input, scope, lookup)
  const keys = new Map<string, ResolvedKey>()
  for (const [name, use] of Object.entries(operation.keys)) {
    const key =
      alias !== undefined && operation.alias?.target === name
        ? await keyOfAlias(use, alias, scope, lookup)
        : tokened !== undefined && use.token === operation.grant?.token
          ? await keyByRef(use, tokened, scope, lookup)
          : use.region !== undefined
            ? await relatedKey(use, input, scope, lookup)
            : ((await unmadeKey(use, input, operation, resolving)) ??
              (await resolveKey(use, input, scope, lookup)))
    if (key !== undefined) keys.set(name, await withGrants(key, operation, input, resolving))
  }
  const grant = tokened ?? (await resolveGrant(operation, input, keys, resolving))
  return { keys, ...(alias && { alias }), ...(grant && { grant }) }
}

const grantable: ReadonlyMap<string, GrantOperation> = new Map(
  grantOperations.map((name) => [`kms:${name}`, name]),
)

/** Adds the grants that allow the call to the caller. For retiring, that is only the named grant. */
async function withGrants(
  key: ResolvedKey,
  operation: Operation,
  input: Given,
  { caller, scope, lookup, sourceArn = caller.service?.sourceArn, grantsMax = 1 }: Resolving,
): Promise<ResolvedKey> {
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
  const grants: Grant[] = []
  for (const name of grantNamesOf(caller, scope.partition)) {
    const found = lookup.grantsGiving(known.record, name, question, grantsMax)
    grants.push(...(found instanceof Promise ? await found : found))
  }
  return grants.length === 0 ? key : { ...key, grants }
}

/** @throws {KmsError} `InvalidGrantIdException`, `NotFoundException` for a grant in the caller's account */
async function resolveGrant(
  operation: Operation,
  input: Given,
  keys: ReadonlyMap<string, ResolvedKey>,
  { caller, findGrant }: Resolving,
): Promise<GrantRecord | undefined> {
  const id = operation.grant === undefined ? undefined : input[operation.grant.from]
  if (operation.grant === undefined || typeof id !== 'string') return undefined
  const grantId = readGrantId(id)
  const key = keys.get(operation.grant.key)?.known?.record
  if (key === undefined) return undefined // hidden: authorization refuses it
  const grant = await findGrant({ ...refOf(key), grantId })
  // For another account, a missing grant is like a grant that allows nothing.
  if (grant === undefined && key.accountId === caller.accountId) throw grantNotFound(grantId)
  return grant
}

function refOf({ accountId, region, keyId }: KeyRef): KeyRef {
  return { accountId, region, keyId }
}

async function resolveKey(
  use: KeyUse,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey | undefined> {
  const named = input[use.from]
  if (typeof named === 'string') {
    const related = await keyByRelative(use, named, input, scope, lookup)
    return related ?? keyByIdentifier(use, named, scope, lookup)
  }
  const ciphertext = use.ciphertext === undefined ? undefined : input[use.ciphertext]
  if (!(ciphertext instanceof Uint8Array)) return undefined
  const materialId = materialIdOf(ciphertext)
  if (materialId === undefined) throw new KmsError('InvalidCiphertextException')
  const material = await lookup.material(materialId)
  const ref = material && { ...material, region: scope.region }
  const known = ref && (await lookup.key(ref))
  return { use, namedBy: 'ciphertext', ...(known && { known }) }
}

/** The key of the same id in the Region that the call names, if it exists. */
async function relatedKey(
  use: KeyUse,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey | undefined> {
  const named = input[use.from]
  const region = use.region === undefined ? undefined : input[use.region]
  if (typeof named !== 'string' || typeof region !== 'string' || region === scope.region) {
    return undefined
  }
  const identifier = readIdentifier(named, 'key', scope)
  if (identifier.kind !== 'key') return undefined
  const known = await lookup.key({ ...identifier.key, region })
  return known && { use, namedBy: 'identifier', known }
}

/**
 * The multi-Region key of this Region, when the call names its relative in another Region and sends
 * that one's ciphertext. Undefined for all other names, and for keys of other accounts: their callers
 * must not learn whether it exists here.
 */
async function keyByRelative(
  use: KeyUse,
  named: string,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey | undefined> {
  const ciphertext = use.ciphertext === undefined ? undefined : input[use.ciphertext]
  const arn = parseArn(named)
  if (!(ciphertext instanceof Uint8Array) || arn === undefined || arn.region === scope.region) {
    return undefined
  }
  const materialId = materialIdOf(ciphertext)
  const material = materialId === undefined ? undefined : await lookup.material(materialId)
  if (material?.accountId !== scope.accountId) return undefined
  const { accountId, keyId } = material
  const relative = keyArn(scope.partition, { accountId, region: arn.region, keyId })
  const known =
    relative === named ? await lookup.key({ ...material, region: scope.region }) : undefined
  return known && { use, namedBy: 'identifier', known, elsewhere: true }
}

async function keyByIdentifier(
  use: KeyUse,
  text: string,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey> {
  const identifier = readIdentifier(text, use.forms, scope)
  if (identifier.kind === 'key') return keyByRef(use, identifier.key, scope, lookup)
  const alias = await lookup.alias(identifier.alias)
  if (alias === undefined) {
    if (identifier.alias.accountId !== scope.accountId) return { use, namedBy: 'identifier' }
    throw aliasNotFound(identifier.alias, scope)
  }
  const key = await keyByRef(use, targetOf(alias), scope, lookup)
  return { ...key, requestAlias: alias.name }
}

async function keyByRef(
  use: KeyUse,
  ref: KeyRef,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey> {
  const known = await lookup.key(ref)
  if (known === undefined && ref.accountId === scope.accountId) {
    throw new KmsError('NotFoundException', `Key '${keyArn(scope.partition, ref)}' does not exist`)
  }
  return { use, namedBy: 'identifier', ...(known && { known }) }
}

async function resolveAlias(
  operation: Operation,
  input: Given,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKeys['alias']> {
  const name = operation.alias === undefined ? undefined : input[operation.alias.from]
  if (typeof name !== 'string') return undefined
  const alias = { accountId: scope.accountId, region: scope.region, name }
  const record = await lookup.alias(alias)
  if (record === undefined && operation.alias?.target !== undefined)
    throw aliasNotFound(alias, scope)
  return record === undefined ? alias : { ...alias, record }
}

function keyOfAlias(
  use: KeyUse,
  alias: NonNullable<ResolvedKeys['alias']>,
  scope: RequestScope,
  lookup: Lookup,
): Promise<ResolvedKey> {
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
async function requireGrantTokens(input: Given, { grantTokens, scope }: Resolving): Promise<void> {
  const tokens = input['GrantTokens']
  if (!Array.isArray(tokens)) return
  for (const token of tokens) {
    await grantTokens.find(String(token), scope.region)
  }
}

/**
 * Compares the ciphertext of a call with the named key. AWS checks this before usage and state.
 * @throws {KmsError} `IncorrectKeyException`
 */
export async function requireMatchingKey(
  key: ResolvedKey,
  input: Given,
  lookup: Lookup,
): Promise<void> {
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
  const material = await lookup.material(materialId)
  const { accountId, keyId } = known.record
  if (material?.accountId === accountId && material.keyId === keyId) return
  throw incorrectKey()
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
