/**
 * What is known of an account in memory: its record, and its organisation's policies compiled; and the
 * accounts that a call is about, which its conditions and its limits speak of.
 * @module
 */
import { compilePolicy } from '../policy/compile.ts'
import type { StoreReads } from '../store/store.ts'
import type { CachedAccount } from './cached-records.ts'

/** As for key policies: what a character of a policy takes once it is compiled. */
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

/** Accounts as a transaction sees them, each read once: it changes none after the first is asked for. */
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
