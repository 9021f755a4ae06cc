/**
 * Session tokens: a session and its secret access key, sealed, so that nothing is stored for one. A
 * token fits into a header; what does not fit cannot be asked for.
 *
 * INVARIANT: a token is believed as far as it says what was issued. Whether its principal and the access
 * key behind it still are is asked at each use (`credentials.ts`).
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { KeyObject } from 'node:crypto'
import { takeSecretKey } from '../crypto/derive.ts'
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import type { Random } from '../model/clock.ts'
import {
  sessionKeyId,
  sessionKeyRandomBytes,
  SessionTooLarge,
  type IssuedSession,
  type Session,
} from '../model/session.ts'
import { packSession, unpackSession, type PackedSession } from './packed-session.ts'

export interface SessionTokens {
  /**
   * @param charactersMin what the token has at least, whatever is in it
   * @throws {SessionTooLarge}
   */
  issue(session: Session, charactersMin?: number): IssuedSession
  /** What the token of just this access key holds; undefined for one that was not issued here. */
  open(accessKeyId: string, token: string): UnsealedSession | undefined
}

export interface UnsealedSession {
  readonly session: Session
  /** The HMAC key `"AWS4" ‖ secret access key`. */
  readonly signingSecret: KeyObject
}

/** Longest token, in characters. */
export const sessionTokenCharactersMax = 4096
/** What sealing adds, in bytes: `crypto/tokens.ts`. */
const sealBytes = 37
/** Bytes that say how many of the others are the session. */
const lengthBytes = 2
const packedBytesMax = (sessionTokenCharactersMax / 4) * 3 - sealBytes - lengthBytes
/** No session that was issued is longer, unpacked. */
const unpackedBytesMax = 65_536
const secretBytes = 30
export function createSessionTokens(
  keyring: Pick<Keyring, 'sealToken' | 'openToken'>,
  random: Random,
): SessionTokens {
  return {
    issue(session, charactersMin = 0) {
      const accessKeyId = sessionKeyId(session.accountId, random.bytes(sessionKeyRandomBytes))
      const plaintextSecret = Buffer.from(random.bytes(secretBytes)).toString('base64')
      const payload = pack(session, plaintextSecret)
      const bare = { ...session, policyIds: [], tags: [], transitiveTagKeys: [] }
      const { policy: _, ...unlimited } = bare
      const base = pack(unlimited, plaintextSecret).length
      const share = Math.max(0, payload.length - base) / (packedBytesMax - base)
      const packedPercent = Math.ceil(100 * share)
      if (payload.length > packedBytesMax) throw new SessionTooLarge(packedPercent)
      const token = keyring.sealToken('session', accessKeyId, padded(payload, charactersMin))
      payload.fill(0)
      const tokenPercent = Math.ceil((100 * token.length) / sessionTokenCharactersMax)
      return { accessKeyId, plaintextSecret, token, packedPercent, tokenPercent }
    },
    open(accessKeyId, token) {
      if (token.length > sessionTokenCharactersMax) return undefined
      try {
        return unpack(keyring.openToken('session', accessKeyId, token))
      } catch (error) {
        if (error instanceof NotAuthentic) return undefined
        throw error
      }
    },
  }
}

/** `u16 length ‖ session ‖ zeros`: so that a token can be given a length. */
function padded(payload: Buffer, charactersMin: number): Buffer {
  const wanted = Math.ceil((charactersMin * 3) / 4) - sealBytes
  const bytes = Buffer.alloc(Math.max(lengthBytes + payload.length, wanted))
  bytes.writeUInt16BE(payload.length, 0)
  payload.copy(bytes, lengthBytes)
  return bytes
}

function pack(session: Session, secret: string): Buffer {
  return deflateRawSync(JSON.stringify(packSession(session, secret)), { level: 9 })
}

/** @param payload what was sealed by `issue`, so that its JSON is the session's */
function unpack(payload: Buffer): UnsealedSession {
  const packedBytes = payload.subarray(lengthBytes, lengthBytes + payload.readUInt16BE(0))
  const bytes = inflateRawSync(packedBytes, { maxOutputLength: unpackedBytesMax })
  const { session, secret } = unpackSession(JSON.parse(bytes.toString('utf8')) as PackedSession)
  bytes.fill(0)
  return { session, signingSecret: takeSecretKey(Buffer.from(`AWS4${secret}`)) }
}
