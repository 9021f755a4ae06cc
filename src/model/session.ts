/**
 * STS sessions: temporary credentials, and everything that is known of the caller who signs with
 * them.
 * @module
 */
import type { IdentityTag } from './identity.ts'

/** Its origin: AssumeRole, GetSessionToken, GetFederationToken, or a service's infrastructure. */
export type SessionKind = 'role' | 'user' | 'federated' | 'infrastructure'

export interface Session {
  readonly kind: SessionKind
  readonly accountId: string
  /**
   * The principal that gives the session its permissions: `AROA…`, `AIDA…`, the account id for a
   * root user, or `111122223333:aws:ec2-infrastructure`.
   */
  readonly principalId: string
  /** The name of a role's or federated user's session; empty for GetSessionToken. */
  readonly name: string
  /** Milliseconds since the epoch, like all times here. */
  readonly issuedAt: number
  readonly expiresAt: number
  /**
   * The long-term access key that the chain began with: the session ends with it. Absent if it
   * began with a web identity token.
   */
  readonly sourceAccessKeyId?: string
  /** Whether another role session made it. */
  readonly chained: boolean
  /** A session policy that limits it. */
  readonly policy?: string
  /** Unique ids of managed policies that limit it. */
  readonly policyIds: readonly string[]
  readonly tags: readonly IdentityTag[]
  /** Keys of the tags that sessions made by this one inherit. */
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
  /** The web identity whose token it was issued for. */
  readonly webIdentity?: WebIdentity
}

export interface WebIdentity {
  /** The name of the provider, in the session's account; see `model/oidc-provider.ts`. */
  readonly provider: string
  readonly audience: string
  readonly subject: string
  /** How the subject authenticated (the token's `amr`). */
  readonly methods: readonly string[]
}

const accountDigits = 12
const accountCharacters = 8
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Builds `ASIA`, eight characters for the account, and eight random ones. As with AWS's, the id
 * contains the account.
 */
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

/** The account in a session's access key id; undefined for other text. */
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
  /** Only for the answer that returns it. */
  readonly plaintextSecret: string
  readonly token: string
  /** Size of policies and tags, in percent of the limit. */
  readonly packedPercent: number
  /** Length of the token, in percent of the longest allowed. */
  readonly tokenPercent: number
}

/** Thrown when a session's policies and tags do not fit into a token. */
export class SessionTooLarge extends Error {
  /** Percentage of the size limit. */
  readonly percent: number

  constructor(percent: number) {
    super(`a session takes ${percent} % of its room`)
    this.percent = percent
  }
}
