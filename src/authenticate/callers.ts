/** Joins the parts of authentication that know credentials and sessions. @module */
import { createForwardAccessTokens } from './forward-access-tokens.ts'
import { createSeenSignatures } from './seen-signatures.ts'
import { createSessionTokens, type SessionTokens } from './session-tokens.ts'
import { createSigningKeys } from './signing-keys.ts'
import type { SigningKeys } from './signature-v4.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { RegionTable } from '../model/region.ts'
import { createCredentials } from './credentials.ts'
import { createForwardAccess, type OpenForwardAccess } from './forward-access.ts'
import type { CredentialLookup } from './credential.ts'
import type { Lookup } from '../cache/cached-records.ts'

export interface Callers {
  readonly credentials: CredentialLookup
  readonly signingKeys: SigningKeys
  readonly sessions: SessionTokens
  readonly forwardAccess: OpenForwardAccess
}

/** Enough for every (access key, Region, day) of a busy deployment. Each takes a few hundred bytes. */
const signingKeysMax = 10_000

export function createCallers(dependencies: {
  readonly keyring: Keyring
  readonly lookup: Lookup
  readonly regions: RegionTable
  readonly clock: Clock
  readonly random: Random
  /** Sessions that were issued up to this time are over. */
  readonly restoredAt: number
}): Callers {
  const { keyring, lookup, regions, clock, random, restoredAt } = dependencies
  const sessions = createSessionTokens(keyring, random)
  const signingKeys = createSigningKeys(signingKeysMax)
  const { find, standing } = createCredentials({
    lookup,
    sessionTokens: sessions,
    clock,
    restoredAt,
  })
  const forwardAccess = createForwardAccess({
    regions,
    lookup,
    clock,
    signingKeys,
    credentials: find,
    standing,
    tokens: createForwardAccessTokens(keyring),
    seenSignatures: createSeenSignatures(Math.floor(clock.system() / 1000)),
  })
  return { credentials: find, signingKeys, sessions, forwardAccess }
}
