/**
 * Loads users, groups, roles and managed policies for the cache: their records, with policies
 * compiled and tags as condition keys.
 * @module
 */
import { compilePolicy } from '../policy/compile.ts'
import type { IdentityRecord } from '../model/identity.ts'
import { defaultDocument } from '../model/managed-policy.ts'
import type { StoreReads } from '../store/store.ts'
import type { ContextEntries } from '../operations/contract/call.ts'
import type {
  CachedIdentity,
  CachedUser,
  CachedGroup,
  CachedRole,
  CachedPolicy,
} from './cached-records.ts'

/** Rough size of a compiled policy, in bytes a character; measured for key policies. */
const compiledBytesPerCharacter = 80
const overheadBytes = 8192

export async function loadUser(
  userId: string,
  store: Pick<StoreReads, 'findUser'>,
): Promise<CachedUser | undefined> {
  const record = await store.findUser(userId)
  return record && cachedIdentity(record, 'inline policy')
}

export async function loadGroup(
  groupId: string,
  store: Pick<StoreReads, 'findGroup'>,
): Promise<CachedGroup | undefined> {
  const record = await store.findGroup(groupId)
  return record && cachedIdentity(record, `group ${record.name}, inline policy`)
}

export async function loadRole(
  roleId: string,
  store: Pick<StoreReads, 'findRole'>,
): Promise<CachedRole | undefined> {
  const record = await store.findRole(roleId)
  if (record === undefined) return undefined
  const { bytes, ...known } = cachedIdentity(record, 'inline policy')
  const { trustPolicy } = record
  return {
    ...known,
    trust: compilePolicy(trustPolicy, 'trust'),
    bytes: bytes + compiledBytesPerCharacter * trustPolicy.length,
  }
}

/** @param what how explanations name its inline policies, before the policy's name */
function cachedIdentity<R extends IdentityRecord>(record: R, what: string): CachedIdentity<R> {
  const documents = Object.entries(record.inlinePolicies)
  const characters = documents.reduce((sum, [, { length }]) => sum + length, 0)
  return {
    record,
    policies: documents.map(([name, document]) => ({
      ...compilePolicy(document, 'identity'),
      source: `${what} ${name}`,
    })),
    entries: tagEntries('aws:PrincipalTag', record),
    bytes: overheadBytes + compiledBytesPerCharacter * characters,
  }
}

/** The record's tags as condition keys under `prefix`. */
export function tagEntries(prefix: string, { tags }: Pick<IdentityRecord, 'tags'>): ContextEntries {
  return Object.fromEntries(tags.map(({ Key, Value }) => [`${prefix}/${Key}`, Value]))
}

export async function loadManagedPolicy(
  policyId: string,
  store: Pick<StoreReads, 'findManagedPolicy'>,
): Promise<CachedPolicy | undefined> {
  const record = await store.findManagedPolicy(policyId)
  const document = record && defaultDocument(record)
  if (document === undefined) return undefined
  const bytes = overheadBytes + compiledBytesPerCharacter * document.length
  const source = `managed policy ${record?.path ?? '/'}${record?.name ?? ''}`
  return { policy: { ...compilePolicy(document, 'identity'), source }, bytes }
}
