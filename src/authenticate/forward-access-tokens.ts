/**
 * Tokens of forward access sessions. They are sealed like other session tokens but hold no secret,
 * because the service signs with its own. A token opens only for the access key of that service.
 *
 * INVARIANT: a token proves only what was issued. `credentials.ts` checks at each use whether its
 * caller still has those permissions.
 * @see docs/adr/0015-forward-access-sessions.md
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import type { Session } from '../model/session.ts'
import { packSession, unpackSession, type PackedSession } from './packed-session.ts'

/** The caller that a service may act for, and the end of that permission. */
export interface ForwardAccessSession {
  /** The access key that signed the request which the service received. */
  readonly accessKeyId: string
  /** Present when that key was temporary. */
  readonly session?: Session
  /** Service principals, from the first called one to the holder of this session. */
  readonly via: readonly string[]
  /** Both times are milliseconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface ForwardAccessTokens {
  /** @param serviceKeyId the access key of the service that may use it */
  seal(serviceKeyId: string, session: ForwardAccessSession): string
  /** Undefined for a token that was sealed elsewhere, or for another service. */
  open(serviceKeyId: string, token: string): ForwardAccessSession | undefined
  /** As `SessionTokens.oldestKey`. */
  oldestKey(): number
}

/** Characters of the longest token: a session, and the services that pass it on. */
export const forwardTokenCharactersMax = 6144
/** Bytes of the longest unpacked token. */
const unpackedBytesMax = 65_536

type Packed = readonly [
  accessKeyId: string,
  session: PackedSession | null,
  via: readonly string[],
  issuedAt: number,
  lifetime: number,
]

export function createForwardAccessTokens(
  keyring: Pick<Keyring, 'sealToken' | 'openToken' | 'oldestVersion'>,
): ForwardAccessTokens {
  return {
    seal(serviceKeyId, { accessKeyId, session, via, issuedAt, expiresAt }) {
      const packed: Packed = [
        accessKeyId,
        session === undefined ? null : packSession(session, ''),
        via,
        issuedAt,
        expiresAt - issuedAt,
      ]
      const payload = deflateRawSync(JSON.stringify(packed), { level: 9 })
      const token = keyring.sealToken('forward-access', serviceKeyId, payload)
      // Sessions and the names added to them are bounded far below this.
      if (token.length > forwardTokenCharactersMax) throw new RangeError('the token is too long')
      return token
    },
    oldestKey: () => keyring.oldestVersion,
    open(serviceKeyId, token) {
      if (token.length > forwardTokenCharactersMax) return undefined
      try {
        return unpack(keyring.openToken('forward-access', serviceKeyId, token))
      } catch (error) {
        if (error instanceof NotAuthentic) return undefined
        throw error
      }
    },
  }
}

/** @param payload a payload that `seal` made, so that its JSON is a session */
function unpack(payload: Buffer): ForwardAccessSession {
  const text = inflateRawSync(payload, { maxOutputLength: unpackedBytesMax }).toString('utf8')
  const [accessKeyId, session, via, issuedAt, lifetime] = JSON.parse(text) as Packed
  return {
    accessKeyId,
    ...(session !== null && { session: unpackSession(session).session }),
    via,
    issuedAt,
    expiresAt: issuedAt + lifetime,
  }
}
