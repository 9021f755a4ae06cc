/**
 * What is known of a user in memory: its record, its policies compiled, its tags as condition keys.
 * @module
 */
import { compilePolicy, type CompiledPolicy } from '../authorize/compile.ts'
import { insiderPolicy } from '../authorize/insider-policy.ts'
import type { Caller } from '../model/caller.ts'
import { defaultDocument } from '../model/managed-policy.ts'
import type { UserRecord } from '../model/user.ts'
import type { ContextEntries } from '../operations/operation.ts'
import type { StoreReads } from '../store/store.ts'
import type { Lookup } from './lookup.ts'

/** What a caller's own account says of it. */
export interface Identity {
  readonly policies: readonly CompiledPolicy[]
  /** `aws:PrincipalTag/…` */
  readonly entries: ContextEntries
}

export interface KnownUser extends Identity {
  readonly record: UserRecord
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

/** As for key policies: what a character of a policy takes once it is compiled. */
const compiledBytesPerCharacter = 80
const overheadBytes = 8192

export async function loadUser(
  userId: string,
  store: Pick<StoreReads, 'findUser'>,
): Promise<KnownUser | undefined> {
  const record = await store.findUser(userId)
  if (record === undefined) return undefined
  const documents = Object.values(record.inlinePolicies)
  const characters = documents.reduce((sum, { length }) => sum + length, 0)
  return {
    record,
    policies: documents.map((document) => compilePolicy(document, 'identity')),
    entries: tagEntries('aws:PrincipalTag', record),
    bytes: overheadBytes + compiledBytesPerCharacter * characters,
  }
}

/** A record's tags as condition keys under `prefix`. */
export function tagEntries(prefix: string, { tags }: Pick<UserRecord, 'tags'>): ContextEntries {
  return Object.fromEntries(tags.map(({ Key, Value }) => [`${prefix}/${Key}`, Value]))
}

/** The version of a managed policy that holds, compiled. */
export interface KnownPolicy {
  readonly policy: CompiledPolicy
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

export async function loadManagedPolicy(
  policyId: string,
  store: Pick<StoreReads, 'findManagedPolicy'>,
): Promise<KnownPolicy | undefined> {
  const record = await store.findManagedPolicy(policyId)
  const document = record && defaultDocument(record)
  if (document === undefined) return undefined
  const bytes = overheadBytes + compiledBytesPerCharacter * document.length
  return { policy: compilePolicy(document, 'identity'), bytes }
}

const nothing: Identity = { policies: [], entries: {} }
const insider: Identity = { policies: [insiderPolicy], entries: {} }
/** What cannot be read may have held a Deny. */
const lost = (what: string): CompiledPolicy => ({ broken: `${what} is gone`, statements: [] })

/** Root users need no policy: in their own account their identity side allows everything. */
export function identityOf(
  caller: Caller,
  lookup: Pick<Lookup, 'user' | 'managedPolicy'>,
): Identity | Promise<Identity> {
  if (caller.kind === 'operator' || caller.kind === 'test') return insider
  return caller.kind === 'user' ? identityOfUser(caller, lookup) : nothing
}

async function identityOfUser(
  caller: Caller,
  lookup: Pick<Lookup, 'user' | 'managedPolicy'>,
): Promise<Identity> {
  const user = await lookup.user(caller.uniqueId)
  // It went away while it called: nothing that its account said of it holds any more.
  if (user === undefined) return { policies: [lost('the user')], entries: {} }
  const { policies, entries, record } = user
  if (record.attachedPolicies.length === 0) return { policies, entries }
  const attached = await Promise.all(
    record.attachedPolicies.map(async (policyId) => {
      const known = await lookup.managedPolicy(policyId)
      return known?.policy ?? lost(`the attached policy ${policyId}`)
    }),
  )
  return { policies: [...policies, ...attached], entries }
}
