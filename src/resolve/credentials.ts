/**
 * Whose an access key is, from memory: long-term keys by their record, temporary ones by the session that
 * their token holds.
 *
 * INVARIANT (sessions are not trusted alone): at each use the role or user of a session exists, by its
 * unique id; the access key at the head of its chain, where there is one, is active; and it was issued
 * after its principal's sessions were last revoked.
 * @module
 */
import type { SessionTokens, UnsealedSession } from '../authenticate/session-tokens.ts'
import type { Credential, CredentialLookup } from '../authenticate/signature-v4.ts'
import { KmsError } from '../errors.ts'
import type { Clock } from '../model/clock.ts'
import type { Session } from '../model/session.ts'
import { createCache, type Cache } from './cache.ts'
import type { KnownRole, KnownUser } from './known-identities.ts'
import type { KnownAccessKey, Lookup } from './lookup.ts'

export interface CredentialPorts {
  readonly lookup: Pick<Lookup, 'refresh' | 'accessKey' | 'user' | 'role'>
  readonly sessionTokens: Pick<SessionTokens, 'open'>
  readonly clock: Pick<Clock, 'now'>
}

/** A session's policy is compiled by whoever holds the session, and goes with it. */
const compiledBytesPerCharacter = 80
const sessionsBytesMax = 32 * 2 ** 20

type Owner = KnownUser | KnownRole | undefined

interface Opened {
  readonly owner: Owner
  readonly credential: Credential
}

export function createCredentials({
  lookup,
  sessionTokens,
  clock,
}: CredentialPorts): CredentialLookup {
  // One object for as long as what it is made of is known: what is made of a credential is kept by it.
  const opened = new WeakMap<KnownAccessKey | UnsealedSession, Opened>()
  const sessions = sessionCache(sessionTokens)
  const kept = (
    of: KnownAccessKey | UnsealedSession,
    owner: Owner,
    make: () => Credential,
  ): Credential => {
    const before = opened.get(of)
    if (before !== undefined && before.owner === owner) return before.credential
    const credential = make()
    opened.set(of, { owner, credential })
    return credential
  }

  const longTerm = async (accessKeyId: string): Promise<Credential | undefined> => {
    const known = await lookup.accessKey(accessKeyId)
    if (known === undefined) return undefined
    const { record, signingSecret } = known
    if (record.principalKind === 'root') {
      return kept(known, undefined, () => ({ ...record, signingSecret }))
    }
    const owner = await lookup.user(record.principalId)
    // The keys of a user who is gone are gone with him.
    if (owner?.record.accountId !== record.accountId) return undefined
    const { name: userName, path: userPath } = owner.record
    return kept(known, owner, () => ({ ...record, signingSecret, userName, userPath }))
  }

  const temporary = async (accessKeyId: string, token: string): Promise<Credential | undefined> => {
    const found = sessions.get(`${accessKeyId}/${token}`)
    const unsealed = found instanceof Promise ? await found : found
    if (unsealed === undefined) return undefined
    const { session, signingSecret } = unsealed
    const { sourceAccessKeyId: sourceId } = session
    const source = sourceId === undefined ? undefined : await lookup.accessKey(sourceId)
    if (sourceId !== undefined && source?.record.status !== 'Active') return undefined
    const owner = await ownerOf(session, lookup)
    if (owner === 'gone') return undefined
    if (session.expiresAt <= clock.now()) {
      throw new KmsError(
        'ExpiredTokenException',
        'The security token included in the request is expired',
      )
    }
    const { accountId, principalId } = session
    const base = {
      accessKeyId,
      accountId,
      principalId,
      status: 'Active',
      session,
      signingSecret,
    } as const
    return kept(unsealed, owner, () => {
      if (owner === undefined) return { ...base, principalKind: 'root' }
      const { name, path } = owner.record
      return session.kind === 'role'
        ? { ...base, principalKind: 'role', role: { name, path } }
        : { ...base, principalKind: 'user', userName: name, userPath: path }
    })
  }

  return async (accessKeyId, sessionToken) => {
    const refreshed = lookup.refresh()
    if (refreshed !== undefined) await refreshed
    return sessionToken === undefined ? longTerm(accessKeyId) : temporary(accessKeyId, sessionToken)
  }
}

function sessionCache(sessionTokens: Pick<SessionTokens, 'open'>): Cache<UnsealedSession> {
  return createCache<UnsealedSession>({
    bytesMax: sessionsBytesMax,
    load: (name) => {
      const slash = name.indexOf('/')
      return Promise.resolve(sessionTokens.open(name.slice(0, slash), name.slice(slash + 1)))
    },
    sizeOf: ({ session }) => 4096 + compiledBytesPerCharacter * (session.policy?.length ?? 0),
  })
}

/** Undefined for a root user, who is always there while an access key of his is. */
async function ownerOf(
  { kind, accountId, principalId, issuedAt }: Session,
  lookup: Pick<Lookup, 'user' | 'role'>,
): Promise<Owner | 'gone'> {
  if (principalId === accountId) return undefined
  const owner = await (kind === 'role' ? lookup.role(principalId) : lookup.user(principalId))
  if (owner?.record.accountId !== accountId) return 'gone'
  const { sessionsRevokedAt: revokedAt } = owner.record
  return revokedAt !== undefined && issuedAt <= revokedAt ? 'gone' : owner
}
