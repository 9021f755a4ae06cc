/**
 * Finds the owner of an access key in the caches: long-term keys by their record, temporary ones by the
 * session in their token, and the keys of services.
 *
 * INVARIANT (sessions are not trusted alone): at each use, the role or user of a session exists, by its
 * unique id; the access key at the head of its chain, if any, is active; and the session was issued
 * after its principal's sessions were last revoked. A session of a service's infrastructure ends with
 * the service.
 * @module
 */
import type { SessionTokens, UnsealedSession } from './session-tokens.ts'
import { KmsError } from '../errors.ts'
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Clock } from '../model/clock.ts'
import { serviceKeyPrefix } from '../model/service.ts'
import type { Session } from '../model/session.ts'
import { createCache, type Cache } from '../cache/cache.ts'
import type { Credential, CredentialLookup, Owned } from './credential.ts'
import type {
  CachedRole,
  CachedUser,
  CachedAccessKey,
  CachedService,
  Lookup,
} from '../cache/cached-records.ts'

export interface CredentialDependencies {
  readonly lookup: Pick<Lookup, 'refresh' | 'accessKey' | 'service' | 'user' | 'role'>
  readonly sessionTokens: Pick<SessionTokens, 'open' | 'oldestKey'>
  readonly clock: Pick<Clock, 'now'>
  /** Sessions that were issued up to this time are over: the deployment was restored then. */
  readonly restoredAt?: number
}

/**
 * Checks again whether credentials that were proved before are still valid, and returns them.
 * @param provedAt milliseconds since the epoch: a revocation since then invalidates them
 */
export type StandingCheck = (
  accessKeyId: string,
  session: Session | undefined,
  provedAt: number,
) => Promise<Owned | undefined>

export interface Credentials {
  readonly find: CredentialLookup
  /** Undefined when they are no longer valid. @throws {KmsError} `ExpiredTokenException` */
  readonly standing: StandingCheck
}

/** The session's compiled policy is kept with the session object, and counts here. */
const compiledBytesPerCharacter = 80
const sessionsBytesMax = 32 * 2 ** 20

type Owner = CachedUser | CachedRole | CachedService | undefined

interface Opened {
  readonly owner: Owner
  readonly credential: Credential
}

export function createCredentials({
  lookup,
  sessionTokens,
  clock,
  restoredAt = 0,
}: CredentialDependencies): Credentials {
  const kept = keeper()
  const sessions = sessionCache(sessionTokens)

  const ofAccessKey = (accessKeyId: string): Awaitable<Credential | undefined> =>
    andThen(lookup.accessKey(accessKeyId), (known) => {
      if (known === undefined) return undefined
      const { record, signingSecret } = known
      if (record.principalKind === 'root') {
        return kept(known, undefined, () => ({ ...record, signingSecret }))
      }
      return andThen(lookup.user(record.principalId), (owner) => {
        // A deleted user's keys are deleted with the user.
        if (owner?.record.accountId !== record.accountId) return undefined
        const { name: userName, path: userPath } = owner.record
        return kept(known, owner, () => ({ ...record, signingSecret, userName, userPath }))
      })
    })
  const longTerm = (accessKeyId: string): Awaitable<Credential | undefined> => {
    if (!accessKeyId.startsWith(serviceKeyPrefix)) return ofAccessKey(accessKeyId)
    return andThen(lookup.service(accessKeyId), (service) =>
      service === undefined
        ? ofAccessKey(accessKeyId)
        : kept(service, undefined, () => credentialOfService(service)),
    )
  }

  const ownerOfValid = (session: Session): Awaitable<Owner | 'gone'> =>
    andThen(ownerOf(session, lookup), (owner) => {
      if (owner === 'gone' || session.issuedAt <= restoredAt) return 'gone'
      if (session.expiresAt <= clock.now()) throw expired()
      return owner
    })

  const temporary = (accessKeyId: string, token: string): Awaitable<Credential | undefined> =>
    andThen(sessions.get(`${sessionTokens.oldestKey()}/${accessKeyId}/${token}`), (unsealed) => {
      if (unsealed === undefined) return undefined
      const { session, signingSecret } = unsealed
      return andThen(ownerOfValid(session), (owner) =>
        owner === 'gone'
          ? undefined
          : kept(unsealed, owner, () => ({
              ...ownedBySession(accessKeyId, session, owner),
              signingSecret,
            })),
      )
    })

  return {
    find: (accessKeyId, sessionToken) =>
      andThen(lookup.refresh(), () =>
        sessionToken === undefined ? longTerm(accessKeyId) : temporary(accessKeyId, sessionToken),
      ),
    async standing(accessKeyId, session, provedAt) {
      if (provedAt <= restoredAt) return undefined
      await lookup.refresh()
      if (session === undefined) {
        const credential = await longTerm(accessKeyId)
        if (credential?.status !== 'Active') return undefined
        const user =
          credential.principalKind === 'user'
            ? await lookup.user(credential.principalId)
            : undefined
        return isRevoked(user, provedAt) ? undefined : credential
      }
      const owner = await ownerOfValid(session)
      return owner === 'gone' ? undefined : ownedBySession(accessKeyId, session, owner)
    },
  }
}

type Kept = CachedAccessKey | CachedService | UnsealedSession

/**
 * Keeps one credential object while its sources stay cached, because later results are cached by that
 * object.
 */
function keeper(): (of: Kept, owner: Owner, make: () => Credential) => Credential {
  const opened = new WeakMap<Kept, Opened>()
  return (of, owner, make) => {
    const before = opened.get(of)
    if (before !== undefined && before.owner === owner) return before.credential
    const credential = make()
    opened.set(of, { owner, credential })
    return credential
  }
}

export function expired(): KmsError {
  return new KmsError(
    'ExpiredTokenException',
    'The security token included in the request is expired',
  )
}

function credentialOfService({ record, signingSecret }: CachedService): Credential {
  const { accessKeyId, name: principalId } = record
  const of = { accessKeyId, accountId: '', principalKind: 'service', principalId } as const
  return { ...of, status: 'Active', service: record, signingSecret }
}

function ownedBySession(accessKeyId: string, session: Session, owner: Owner): Owned {
  const { accountId, principalId } = session
  const base = { accessKeyId, accountId, principalId, status: 'Active', session } as const
  if (session.kind === 'infrastructure') {
    const name = principalId.slice(`${accountId}:`.length)
    return { ...base, principalKind: 'role', role: { name, path: '/' } }
  }
  if (owner === undefined || !('policies' in owner)) return { ...base, principalKind: 'root' }
  const { name, path } = owner.record
  return session.kind === 'role'
    ? { ...base, principalKind: 'role', role: { name, path } }
    : { ...base, principalKind: 'user', userName: name, userPath: path }
}

/** By the oldest domain key, the access key and the token. */
function sessionCache(
  sessionTokens: Pick<SessionTokens, 'open' | 'oldestKey'>,
): Cache<UnsealedSession> {
  return createCache<UnsealedSession>({
    bytesMax: sessionsBytesMax,
    load: (name) => {
      const [, keyId = '', token = ''] = name.split('/')
      return Promise.resolve(sessionTokens.open(keyId, token))
    },
    sizeOf: ({ session }) => 4096 + compiledBytesPerCharacter * (session.policy?.length ?? 0),
  })
}

/** Undefined for a root user, who exists as long as an access key of it does. */
function ownerOf(
  { kind, accountId, principalId, issuedAt, sourceAccessKeyId }: Session,
  lookup: Pick<Lookup, 'accessKey' | 'service' | 'user' | 'role'>,
): Awaitable<Owner | 'gone'> {
  if (kind === 'infrastructure') {
    return andThen(lookup.service(sourceAccessKeyId ?? ''), (service) => service ?? 'gone')
  }
  const isActive =
    sourceAccessKeyId === undefined ||
    andThen(lookup.accessKey(sourceAccessKeyId), (source) => source?.record.status === 'Active')
  return andThen(isActive, (active) => {
    if (!active) return 'gone'
    if (principalId === accountId) return undefined
    const named = kind === 'role' ? lookup.role(principalId) : lookup.user(principalId)
    return andThen<CachedRole | CachedUser | undefined, Owner | 'gone'>(named, (owner) => {
      if (owner?.record.accountId !== accountId) return 'gone'
      return isRevoked(owner, issuedAt) ? 'gone' : owner
    })
  })
}

/** Whether sessions issued at that time have been revoked. */
function isRevoked(owner: CachedUser | CachedRole | undefined, issuedAt: number): boolean {
  const revokedAt = owner?.record.sessionsRevokedAt
  return revokedAt !== undefined && issuedAt <= revokedAt
}
