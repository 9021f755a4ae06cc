/** Who waits where calls queue: an account, and a user or a role within it. @module */
import type { Caller } from './caller.ts'

export interface Party {
  readonly accountId: string
  /** The unique id of a user or a role; sessions of a role are one party, since anybody can name many. */
  readonly principalId: string
}

/** The server's own work. */
export const ourselves: Party = { accountId: '', principalId: '' }

export function partyOf({ accountId, uniqueId, issuer, service }: Caller): Party {
  if (service === undefined) return { accountId, principalId: issuer?.principalId ?? uniqueId }
  // A service waits among the others of the account that it calls for.
  return { accountId: service.sourceAccount ?? service.name, principalId: service.name }
}

const parties = new WeakMap<AbortSignal, Party>()

/** Says whose call ends with `signal`: its slow work waits in the line of that party. */
export function callsFor(signal: AbortSignal, party: Party): void {
  parties.set(signal, party)
}

export function partyBehind(signal: AbortSignal): Party {
  return parties.get(signal) ?? ourselves
}
