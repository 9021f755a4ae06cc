/**
 * Packs a session into the array that tokens seal. It is short, because every request carries each
 * character.
 * @module
 */
import type { Session, SessionKind } from '../model/session.ts'

/** In the order of their sealed numbers. New kinds go last. */
const kinds: readonly SessionKind[] = ['role', 'user', 'federated', 'infrastructure']

export type PackedSession = readonly [
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

/** @param secret the secret access key; empty when the token's holder signs with another key */
export function packSession(session: Session, secret: string): PackedSession {
  return [
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
}

function webIdentityOf({
  webIdentity,
}: Session): readonly [] | readonly [NonNullable<PackedSession[14]>] {
  if (webIdentity === undefined) return []
  const { provider, audience, subject, methods } = webIdentity
  return [[provider, audience, subject, methods]]
}

/** @param packed a result of `packSession` */
export function unpackSession(packed: PackedSession): {
  readonly session: Session
  readonly secret: string
} {
  const [kind, accountId, principalId, name, issuedAt, lifetime, sourceAccessKeyId] = packed
  const [, , , , , , , chained, secret, sourceIdentity, policy, policyIds] = packed
  const [tags, transitiveTagKeys, proven] = [packed[12], packed[13], packed[14]]
  const [provider = '', audience = '', subject = '', methods = []] = proven ?? []
  const session = {
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
  }
  return { session, secret }
}
