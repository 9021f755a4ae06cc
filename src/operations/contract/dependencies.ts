/**
 * Dependencies of operations: the store, key stores, the clock, and checks that need more than the input.
 * @module
 */
import type { TrailPorts } from '../../model/trail.ts'
import type { KeyStore } from '../../keystores/keystore.ts'
import type { Caller } from '../../model/caller.ts'
import type { DeletionTasks } from './deletion-task.ts'
import type { AccessKeyOwner, FixedAccessKeys, MadeAccessKey } from './access-keys.ts'
import type { EventLookup } from '../../model/audit-event.ts'
import type { AccessKeyUse } from '../../model/access-key.ts'
import type { Clock, Random } from '../../model/clock.ts'
import type { ForwardedRequest } from '../../model/forwarded-request.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import type { LastUsage, LostUsage } from '../../model/last-usage.ts'
import type { RegionTable } from '../../model/region.ts'
import type { RolePrincipal, RoleRecord, RoleUse } from '../../model/role.ts'
import type { IssuedSession, Session } from '../../model/session.ts'
import type { Figures } from '../../store/figures.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Explanations } from './access-questions.ts'
import type { ResourceQuotas } from '../../throttle/profiles.ts'
import type { Call } from './call.ts'
import type { ServerControls } from './server-controls.ts'

/** Ports and settings that operations may use. */
export interface OperationDependencies {
  readonly store: StoreReads
  /** The key store of a key; for a key that is yet to be made, of its origin. */
  readonly keyStoreOf: (key: Pick<KeyRecord, 'origin'>) => KeyStore
  readonly clock: Clock
  readonly random: Random
  readonly regions: RegionTable
  readonly pages: Pages
  readonly policies: KeyPolicies
  readonly trustPolicies: TrustPolicies
  readonly principals: Principals
  /** The same three, by what a transaction sees: it may have made those whom a policy names. */
  readonly principalChecks: (
    reads: Pick<
      StoreReads,
      'findAccount' | 'findUser' | 'findUserByName' | 'findRole' | 'findRoleByName'
    >,
  ) => PrincipalChecks
  readonly grantTokens: { readonly seal: (grant: GrantRecord) => string }
  readonly keyUsages: KeyUsages
  readonly roleUses: RoleUses
  readonly accessKeyUses: AccessKeyUses
  readonly deletionTasks: DeletionTasks
  readonly sessions: Sessions
  readonly events: EventLookup
  /** Requests and turns in keys' lives, counted. */
  readonly figures: Figures
  readonly explanations: Explanations
  readonly forwardAccess: ForwardAccess
  /** Makes a random access key, which is not stored yet. */
  readonly newAccessKey: <Owner extends AccessKeyOwner>(owner: Owner) => MadeAccessKey<Owner>
  readonly fixedAccessKeys: FixedAccessKeys
  readonly webIdentity: WebIdentityRules
  readonly quotas: Quotas
  readonly trails: TrailPorts
  readonly server: ServerControls
}

/** Whom policies and grants name: checked against the principals that there are. */
export type PrincipalChecks = Pick<
  OperationDependencies,
  'policies' | 'trustPolicies' | 'principals'
>

/** Identity providers that may be. */
export interface WebIdentityRules {
  /** Whether what it publishes may be asked for at all: over HTTPS, or as the settings say. */
  readonly mayBeIssuer: (url: string) => boolean
}

/** What there may be, and how often it may be asked. */
export interface Quotas {
  readonly profile: string
  readonly resources: ResourceQuotas
  /** Request quotas of an account in a Region; undefined where there is no limit. */
  readonly rates: (accountId: string, region: string) => readonly RequestQuota[]
}

export interface RequestQuota {
  /** An operation, or operations that share a quota. */
  readonly group: string
  readonly perSecond: number | undefined
  /** How many requests could follow one another now. */
  readonly available: number | undefined
}

/** Temporary credentials: nothing is stored for them. */
export interface Sessions {
  /** @throws {SessionTooLarge} when its policies and tags do not fit into a token */
  issue(session: Session, charactersMin?: number): IssuedSession
}

/** Requests of users that services prove. */
export interface ForwardAccess {
  /**
   * @param serviceKeyId the access key of the service that was sent the request
   * @throws {KmsError} for what proves nothing
   */
  prove(
    request: ForwardedRequest,
    serviceKeyId: string,
    where: { readonly partition: string; readonly lifetimeMs: number },
  ): Promise<{
    /** What the service sends along with what it signs. */
    readonly token: string
    /** The user, called for by the service. */
    readonly caller: Caller
    /** Milliseconds since the epoch. */
    readonly expiresAt: number
  }>
}

/** Markers of paginated lists; one that was not issued for just this list is refused. */
export interface Pages {
  /** @throws {KmsError} `InvalidMarkerException` */
  open(scope: string, marker: string | undefined): string | undefined
  seal(scope: string, after: string): string
}

/** Key policies at the time they are written. */
export interface KeyPolicies {
  /** The policy of a key that was made without one. */
  defaultFor(partition: string, accountId: string): string
  /** The policy of a key as it is told: a principal that is gone is its unique id. */
  shown(key: KeyRecord): Promise<string>
  /**
   * Checks structure, size, principals and, unless `bypassLockoutCheck`, that `call`'s caller can
   * write the next one. Answers the unique ids of the principals it names.
   * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
   */
  check(
    policy: string,
    key: KeyRef,
    call: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region' | 'origin'>,
    bypassLockoutCheck: boolean,
  ): Promise<Readonly<Record<string, string>>>
}

/** Trust policies of roles. */
export interface TrustPolicies {
  /**
   * Checks form, size and principals. Answers the unique ids of those it names, by ARN.
   * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
   */
  check(
    policy: string,
    call: Pick<Call<unknown, never>, 'partition'>,
  ): Promise<Readonly<Record<string, string>>>
  /** The policy as it is told: a principal that is gone is its unique id. */
  shown(role: Pick<RoleRecord, 'trustPolicy' | 'trustPrincipals'>): Promise<string>
}

/** The accounts, users and roles that there are. */
export interface Principals {
  /** The unique id of a principal, by its ARN; undefined when there is none such. */
  readonly idOf: (arn: string) => Promise<string | undefined>
  /** The role of a unique id `AROA…`, or its session of `AROA…:session`; undefined when the role is gone. */
  readonly ofRoleId: (uniqueId: string, partition: string) => Promise<RolePrincipal | undefined>
}

/** When each key was last used. */
export interface KeyUsages {
  /** Milliseconds since the epoch: of uses before it nothing is known. */
  readonly since: number
  /**
   * The last successful cryptographic use; undefined when there is none since `since`. An `unproved` one
   * counts as a use just now.
   */
  lastOf(key: KeyRecord): Promise<LastUsage | LostUsage | undefined>
}

/** When each long-term access key last signed a call. */
export interface AccessKeyUses {
  /** Undefined when it never did. */
  lastOf(accessKeyId: string): Promise<AccessKeyUse | undefined>
}

/** When each role was last used. */
export interface RoleUses {
  lastOf(roleId: string): Promise<RoleUse | undefined>
}
