/**
 * Loads accounts for the cache: the record of an account, with its organization's policies
 * compiled.
 * @module
 */
import { compilePolicy } from '../policy/compile.ts'
import type { StoreReads } from '../store/store.ts'
import type { CachedAccount } from './cached-records.ts'

/** Rough size of a compiled policy, in bytes a character; measured for key policies. */
const compiledBytesPerCharacter = 80
const overheadBytes = 1024

export async function loadAccount(
  accountId: string,
  store: Pick<StoreReads, 'findAccount'>,
): Promise<CachedAccount | undefined> {
  const record = await store.findAccount(accountId)
  if (record === undefined) return undefined
  const { serviceControlPolicies = [], resourceControlPolicies = [] } = record.organization ?? {}
  const documents = [...serviceControlPolicies.flat(), ...resourceControlPolicies]
  const characters = documents.reduce((sum, { length }) => sum + length, 0)
  return {
    record,
    serviceControl: serviceControlPolicies.map((level) =>
      level.map((document) => compilePolicy(document, 'service-control')),
    ),
    resourceControl: resourceControlPolicies.map((document) =>
      compilePolicy(document, 'resource-control'),
    ),
    bytes: overheadBytes + compiledBytesPerCharacter * characters,
  }
}

/**
 * Reads accounts inside a transaction, each once. The transaction must not change an account after
 * the first read.
 */
export function readAccounts(
  store: Pick<StoreReads, 'findAccount'>,
): (accountId: string) => Promise<CachedAccount | undefined> {
  const read = new Map<string, Promise<CachedAccount | undefined>>()
  return (accountId) => {
    const known = read.get(accountId) ?? loadAccount(accountId, store)
    read.set(accountId, known)
    return known
  }
}
