/** The owner of a call in a fair queue: an account, and a user or role within it. @module */
import type { Caller } from './caller.ts'

export interface Party {
  readonly accountId: string
  /**
   * The unique id of a user or role. All sessions of a role are one party, because a caller can
   * make any number of them.
   */
  readonly principalId: string
}

/** The party of Trent's own work. */
export const ourselves: Party = { accountId: '', principalId: '' }

export function partyOf({ accountId, uniqueId, issuer, service }: Caller): Party {
  if (service === undefined) return { accountId, principalId: issuer?.principalId ?? uniqueId }
  // A service queues with the account that it calls for.
  return { accountId: service.sourceAccount ?? service.name, principalId: service.name }
}

const parties = new WeakMap<AbortSignal, Party>()

/** Records who made the call that `signal` ends: its slow work queues for that party. */
export function callsFor(signal: AbortSignal, party: Party): void {
  parties.set(signal, party)
}

export function partyBehind(signal: AbortSignal): Party {
  return parties.get(signal) ?? ourselves
}
