/** Sessions of STS: temporary credentials, and all that is true of whoever signs with them. @module */
import type { IdentityTag } from './identity.ts'

/** How it was made: AssumeRole, GetSessionToken, GetFederationToken, or for what a service runs. */
export type SessionKind = 'role' | 'user' | 'federated' | 'infrastructure'

export interface Session {
  readonly kind: SessionKind
  readonly accountId: string
  /**
   * Of whose permissions it is: `AROA…`, `AIDA…`, the account id for a root user, or
   * `111122223333:aws:ec2-infrastructure`.
   */
  readonly principalId: string
  /** Of a role or a federated user; empty where a user has none. */
  readonly name: string
  /** Milliseconds since the epoch, as are all times here. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** The long-term access key at the head of the chain: with it the session ends. None where a token was. */
  readonly sourceAccessKeyId?: string
  /** Made by another session of a role. */
  readonly chained: boolean
  /** A policy document that limits it. */
  readonly policy?: string
  /** Unique ids of managed policies that limit it. */
  readonly policyIds: readonly string[]
  readonly tags: readonly IdentityTag[]
  /** Keys of tags that sessions made by this one inherit. */
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
  /** Whose identity token it was given for. */
  readonly webIdentity?: WebIdentity
}

export interface WebIdentity {
  /** The name of the provider, which is one of the session's account: `model/oidc-provider.ts`. */
  readonly provider: string
  readonly audience: string
  readonly subject: string
  /** How the subject has proved who it is. */
  readonly methods: readonly string[]
}

const accountDigits = 12
const accountCharacters = 8
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `ASIA`, the account in eight characters, eight random ones: an id tells whose it is, as AWS's do. */
export function sessionKeyId(accountId: string, random: Uint8Array): string {
  let rest = BigInt(accountId)
  let account = ''
  for (let place = 0; place < accountCharacters; place += 1) {
    account = base32.charAt(Number(rest & 31n)) + account
    rest >>= 5n
  }
  const own = Array.from(random.subarray(0, 8), (byte) => base32.charAt(byte & 31)).join('')
  return `ASIA${account}${own}`
}

/** The account of a session's access key; undefined for what is none. */
export function accountOfSessionKey(accessKeyId: string): string | undefined {
  const [, account] = /^ASIA([A-Z2-7]{8})[A-Z2-7]{8}$/.exec(accessKeyId) ?? []
  if (account === undefined) return undefined
  let number = 0n
  for (const character of account) number = (number << 5n) | BigInt(base32.indexOf(character))
  const digits = String(number).padStart(accountDigits, '0')
  return digits.length === accountDigits ? digits : undefined
}

/** Bytes of randomness in a session's access key id. */
export const sessionKeyRandomBytes = 8

export interface IssuedSession {
  readonly accessKeyId: string
  /** For the one answer that tells it, and nothing else. */
  readonly plaintextSecret: string
  readonly token: string
  /** How much of the room for policies and tags is taken, in percent. */
  readonly packedPercent: number
  /** Length of the token in percent of the longest. */
  readonly tokenPercent: number
}

/** A session's policies and tags do not fit into a token. */
export class SessionTooLarge extends Error {
  /** Of the room that there is. */
  readonly percent: number

  constructor(percent: number) {
    super(`a session takes ${percent} % of its room`)
    this.percent = percent
  }
}
