/**
 * Session tokens: a session and its secret access key, sealed, so that the server stores nothing for a
 * session. A token fits into a header; a session that does not fit is refused.
 *
 * INVARIANT: a token proves only what was issued. `credentials.ts` checks at each use whether its
 * principal and the access key behind it still exist.
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
   * Issues a session.
   * @param charactersMin minimum length of the token, whatever it holds
   * @throws {SessionTooLarge}
   */
  issue(session: Session, charactersMin?: number): IssuedSession
  /** The content of a token of this access key; undefined for a token that was not issued here. */
  open(accessKeyId: string, token: string): UnsealedSession | undefined
  /** It changes when older domain keys are retired: then opened sessions must be opened again. */
  oldestKey(): number
}

export interface UnsealedSession {
  readonly session: Session
  /** The HMAC key `"AWS4" ‖ secret access key`. */
  readonly signingSecret: KeyObject
}

/** Longest token, in characters. */
export const sessionTokenCharactersMax = 4096
/** Bytes that sealing adds (`crypto/tokens.ts`). */
const sealBytes = 37
/** Bytes that hold the length of the session. */
const lengthBytes = 2
const packedBytesMax = (sessionTokenCharactersMax / 4) * 3 - sealBytes - lengthBytes
/** Bytes of the longest unpacked session. */
const unpackedBytesMax = 65_536
const secretBytes = 30
export function createSessionTokens(
  keyring: Pick<Keyring, 'sealToken' | 'openToken' | 'oldestVersion'>,
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
    oldestKey: () => keyring.oldestVersion,
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

/** `u16 length ‖ session ‖ zeros`, which gives the token its minimum length. */
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

/** @param payload a payload that `issue` sealed, so that its JSON is a session */
function unpack(payload: Buffer): UnsealedSession {
  const packedBytes = payload.subarray(lengthBytes, lengthBytes + payload.readUInt16BE(0))
  const bytes = inflateRawSync(packedBytes, { maxOutputLength: unpackedBytesMax })
  const { session, secret } = unpackSession(JSON.parse(bytes.toString('utf8')) as PackedSession)
  bytes.fill(0)
  return { session, signingSecret: takeSecretKey(Buffer.from(`AWS4${secret}`)) }
}
