/**
 * Tokens of forward access sessions: sealed as those of other sessions are, and without a secret, since the
 * service that holds one signs with its own. A token opens for the access key of just that service.
 *
 * INVARIANT: a token is believed as far as it says what was issued. Whether its caller still is whoever it
 * was is asked at each use (`resolve/credentials.ts`).
 * @see docs/adr/0015-forward-access-sessions.md
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import type { Session } from '../model/session.ts'
import { packSession, unpackSession, type PackedSession } from './packed-session.ts'

/** Whom a service may call for, and until when. */
export interface ForwardAccessSession {
  /** The access key that has signed the request which the service answers. */
  readonly accessKeyId: string
  /** Present where that was a temporary one. */
  readonly session?: Session
  /** Service principals, from the one that was called to the one that holds this. */
  readonly via: readonly string[]
  /** Milliseconds since the epoch, as is the other. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface ForwardAccessTokens {
  /** @param serviceKeyId the access key of the service that may use it */
  seal(serviceKeyId: string, session: ForwardAccessSession): string
  /** Undefined for one that was not sealed here, or for another service. */
  open(serviceKeyId: string, token: string): ForwardAccessSession | undefined
}

/** Longest token, in characters: a session's, and who passes it on. */
export const forwardTokenCharactersMax = 6144
/** None that was sealed is longer, unpacked. */
const unpackedBytesMax = 65_536

type Packed = readonly [
  accessKeyId: string,
  session: PackedSession | null,
  via: readonly string[],
  issuedAt: number,
  lifetime: number,
]

export function createForwardAccessTokens(
  keyring: Pick<Keyring, 'sealToken' | 'openToken'>,
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
      // A session's token is bounded far below, and so are the names that are added to it.
      if (token.length > forwardTokenCharactersMax) throw new RangeError('the token is too long')
      return token
    },
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

/** @param payload what was sealed above, so that its JSON is the session's */
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
