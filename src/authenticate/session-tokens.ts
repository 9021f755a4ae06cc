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
  type Session,
  type SessionKind,
} from '../model/session.ts'

export interface IssuedSession {
  readonly accessKeyId: string
  /** For the one answer that tells it, and nothing else. */
  readonly plaintextSecret: string
  readonly token: string
  /** How much of the room for policies and tags is taken, in percent. */
  readonly packedPercent: number
}

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
const kinds: readonly SessionKind[] = ['role', 'user', 'federated']

/** In the order of the sealed array: short, since each character of it is paid for in every request. */
type Packed = readonly [
  kind: number,
  accountId: string,
  principalId: string,
  name: string,
  issuedAt: number,
  lifetime: number,
  sourceAccessKeyId: string | null,
  chained: 0 | 1,
  secret: string,
  sourceIdentity: string | null,
  policy: string | null,
  policyIds: readonly string[],
  tags: readonly (readonly [key: string, value: string])[],
  transitiveTagKeys: readonly string[],
  /** Absent in the tokens of other sessions. */
  webIdentity?: readonly [
    provider: string,
    audience: string,
    subject: string,
    methods: readonly string[],
  ],
]

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
      return { accessKeyId, plaintextSecret, token, packedPercent }
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
  const packed: Packed = [
    kinds.indexOf(session.kind),
    session.accountId,
    session.principalId,
    session.name,
    session.issuedAt,
    session.expiresAt - session.issuedAt,
    session.sourceAccessKeyId ?? null,
    session.chained ? 1 : 0,
    secret,
    session.sourceIdentity ?? null,
    session.policy ?? null,
    session.policyIds,
    session.tags.map(({ Key, Value }) => [Key, Value] as const),
    session.transitiveTagKeys,
    ...webIdentityOf(session),
  ]
  return deflateRawSync(JSON.stringify(packed), { level: 9 })
}

function webIdentityOf({ webIdentity }: Session): readonly [] | readonly [NonNullable<Packed[14]>] {
  if (webIdentity === undefined) return []
  const { provider, audience, subject, methods } = webIdentity
  return [[provider, audience, subject, methods]]
}

/** @param payload what was sealed by `issue`, so that its JSON is the session's */
function unpack(payload: Buffer): UnsealedSession {
  const packedBytes = payload.subarray(lengthBytes, lengthBytes + payload.readUInt16BE(0))
  const bytes = inflateRawSync(packedBytes, { maxOutputLength: unpackedBytesMax })
  const packed = JSON.parse(bytes.toString('utf8')) as Packed
  bytes.fill(0)
  const [kind, accountId, principalId, name, issuedAt, lifetime, sourceAccessKeyId] = packed
  const [, , , , , , , chained, secret, sourceIdentity, policy, policyIds] = packed
  const [tags, transitiveTagKeys, proven] = [packed[12], packed[13], packed[14]]
  const [provider = '', audience = '', subject = '', methods = []] = proven ?? []
  return {
    session: {
      kind: kinds[kind] ?? 'role',
      accountId,
      principalId,
      name,
      issuedAt,
      expiresAt: issuedAt + lifetime,
      ...(sourceAccessKeyId !== null && { sourceAccessKeyId }),
      chained: chained === 1,
      policyIds,
      tags: tags.map(([Key, Value]) => ({ Key, Value })),
      transitiveTagKeys,
      ...(policy !== null && { policy }),
      ...(sourceIdentity !== null && { sourceIdentity }),
      ...(proven && { webIdentity: { provider, audience, subject, methods } }),
    },
    signingSecret: takeSecretKey(Buffer.from(`AWS4${secret}`)),
  }
}
