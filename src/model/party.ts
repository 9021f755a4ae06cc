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

const behind = Symbol('party')

/** A weak map from signals to parties would cost the garbage collector more than the calls. */
interface CallSignal extends AbortSignal {
  [behind]?: Party
}

/** Records who made the call that `signal` ends: its slow work queues for that party. */
export function callsFor(signal: CallSignal, party: Party): void {
  signal[behind] = party
}

export function partyBehind(signal: CallSignal): Party {
  return signal[behind] ?? ourselves
}
