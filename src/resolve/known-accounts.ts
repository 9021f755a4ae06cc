/**
 * What is known of an account in memory: its record, and its organisation's policies compiled; and the
 * accounts that a call is about, which its conditions and its limits speak of.
 * @module
 */
import { compilePolicy, type CompiledPolicy } from '../authorize/compile.ts'
import type { Policies } from '../authorize/decision.ts'
import type { AccountRecord } from '../model/access-key.ts'
import type { Organization } from '../model/organization.ts'
import type { StoreReads } from '../store/store.ts'
import type { Lookup } from './lookup.ts'
import type { ResolvedCall } from './resolve.ts'

export interface KnownAccount {
  readonly record: AccountRecord
  /** Level by level; empty where nothing limits its principals. */
  readonly serviceControl: readonly (readonly CompiledPolicy[])[]
  readonly resourceControl: readonly CompiledPolicy[]
  /** Roughly what it takes in memory. */
  readonly bytes: number
}

/** As for key policies: what a character of a policy takes once it is compiled. */
const compiledBytesPerCharacter = 80
const overheadBytes = 1024

export async function loadAccount(
  accountId: string,
  store: Pick<StoreReads, 'findAccount'>,
): Promise<KnownAccount | undefined> {
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
): (accountId: string) => Promise<KnownAccount | undefined> {
  const read = new Map<string, Promise<KnownAccount | undefined>>()
  return (accountId) => {
    const known = read.get(accountId) ?? loadAccount(accountId, store)
    read.set(accountId, known)
    return known
  }
}

/** By account id; one that is not there is gone, or its row is not genuine. */
export type Accounts = ReadonlyMap<string, KnownAccount>

/** The accounts of the caller, of the keys and of the role that the call is about. */
export function accountsOf(
  callerAccountId: string,
  { keys, assumed }: Pick<ResolvedCall, 'keys' | 'assumed'>,
  lookup: Pick<Lookup, 'account'>,
): Accounts | Promise<Accounts> {
  const accountIds = new Set([callerAccountId])
  for (const { known } of keys.values()) if (known) accountIds.add(known.record.accountId)
  if (assumed?.known !== undefined) accountIds.add(assumed.accountId)
  const accounts = new Map<string, KnownAccount>()
  const waiting: Promise<void>[] = []
  for (const accountId of accountIds) {
    const found = lookup.account(accountId)
    if (found instanceof Promise) {
      waiting.push(keep(accountId, found, accounts))
    } else if (found !== undefined) accounts.set(accountId, found)
  }
  // Nearly always there is nothing to wait for.
  return waiting.length === 0 ? accounts : Promise.all(waiting).then(() => accounts)
}

async function keep(
  accountId: string,
  found: Promise<KnownAccount | undefined>,
  accounts: Map<string, KnownAccount>,
): Promise<void> {
  const known = await found
  if (known !== undefined) accounts.set(accountId, known)
}

/** What cannot be read may have held a Deny. */
const lost: CompiledPolicy = { broken: 'the account is gone', statements: [] }

/** What the organisations of both accounts limit. */
export function organizationLimits(
  accounts: Accounts,
  callerAccountId: string,
  resourceAccountId: string,
): Pick<Policies, 'serviceControl' | 'resourceControl'> {
  const { serviceControl = [[lost]] } = accounts.get(callerAccountId) ?? {}
  const { resourceControl = [lost] } = accounts.get(resourceAccountId) ?? {}
  return {
    ...(serviceControl.length > 0 && { serviceControl }),
    ...(resourceControl.length > 0 && { resourceControl }),
  }
}

/** The organisations of both accounts, for conditions. */
export function organizationsOf(
  accounts: Accounts,
  callerAccountId: string,
  resourceAccountId: string,
): {
  readonly principalOrganization: Organization | undefined
  readonly resourceOrganization: Organization | undefined
} {
  return {
    principalOrganization: accounts.get(callerAccountId)?.record.organization,
    resourceOrganization: accounts.get(resourceAccountId)?.record.organization,
  }
}
