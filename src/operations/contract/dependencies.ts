/**
 * Dependencies of operations: the store, key stores, the clock, and checks that need more than the input.
 * @module
 */
import type { TrailDependencies } from '../../model/trail.ts'
import type { HsmKeyStores } from '../../keystores/hsm/hsm.ts'
import type { ClusterChecks } from '../../keystores/hsm/require-cluster.ts'
import type { ExternalKeyStores } from '../../keystores/external/external.ts'
import type { ProxyMessages } from '../../keystores/builtin/proxy-messages.ts'
import type { KeyStoreSecrets } from '../../keystores/external/proxy-address.ts'
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
import type { ProxyCredentialRecord } from '../../model/served-proxy.ts'
import type { RegionTable } from '../../model/region.ts'
import type { RolePrincipal, RoleRecord, RoleUse } from '../../model/role.ts'
import type { IssuedSession, Session } from '../../model/session.ts'
import type { Figures } from '../../store/figures.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Explanations } from './access-questions.ts'
import type { ResourceQuotas } from '../../throttle/profiles.ts'
import type { Call } from './call.ts'
import type { ServerControls } from './server-controls.ts'

/** Dependencies and settings that operations may use. */
export interface OperationDependencies {
  readonly store: StoreReads
  readonly externalKeyStores: Pick<
    ExternalKeyStores,
    'requireHealthy' | 'requireAddress' | 'requireKey'
  >
  readonly keyStoreSecrets: KeyStoreSecrets
  /** Encrypts and decrypts as an XKS proxy. */
  readonly proxyMessages: ProxyMessages
  /** The nodes that serve this deployment, as clients of XKS proxies see them. */
  readonly fleet: () => Promise<readonly FleetNode[]>
  /** Makes a random credential for an XKS proxy. It is not stored yet. */
  readonly newProxyCredential: (
    of: Pick<ProxyCredentialRecord, 'proxyId' | 'accountId' | 'region'>,
  ) => NewProxyCredential
  readonly hsmClusters: ClusterChecks
  readonly hsmKeyStores: Pick<HsmKeyStores, 'wrapPassword'>
  readonly clock: Clock
  readonly random: Random
  readonly regions: RegionTable
  readonly pages: Pages
  readonly policies: KeyPolicies
  readonly trustPolicies: TrustPolicies
  readonly principals: Principals
  /**
   * The same three checks within a transaction, which may have created the principals that a policy names.
   */
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
  /** Counts of requests and of key lifecycle events. */
  readonly figures: Figures
  readonly explanations: Explanations
  readonly forwardAccess: ForwardAccess
  /** Generates a random access key, which is not stored yet. */
  readonly newAccessKey: <Owner extends AccessKeyOwner>(owner: Owner) => MadeAccessKey<Owner>
  readonly fixedAccessKeys: FixedAccessKeys
  readonly webIdentity: WebIdentityRules
  readonly quotas: QuotaDependencies
  readonly trails: TrailDependencies
  readonly server: ServerControls
}

export interface FleetNode {
  readonly id: string
  readonly health: 'ACTIVE' | 'DEGRADED' | 'UNAVAILABLE'
}

/** A credential with its secret, which only the answer of the call may have. */
export interface NewProxyCredential {
  readonly record: Omit<ProxyCredentialRecord, 'limits' | 'createdAt' | 'rowVersion'>
  readonly plaintextSecret: string
}

/** Checks that the principals in policies and grants exist. */
export type PrincipalChecks = Pick<
  OperationDependencies,
  'policies' | 'trustPolicies' | 'principals'
>

/** Rules for OpenID Connect identity providers. */
export interface WebIdentityRules {
  /** Whether Trent may fetch the issuer's metadata: over HTTPS, or as the settings allow. */
  readonly mayBeIssuer: (url: string) => boolean
}

/** Resource quotas and request quotas. */
export interface QuotaDependencies {
  readonly profile: string
  readonly resources: ResourceQuotas
  /** Request quotas of an account in a Region. */
  readonly rates: (accountId: string, region: string) => readonly RequestQuota[]
}

export interface RequestQuota {
  /** The name of an operation, or of the operations that share a quota. */
  readonly group: string
  /** Undefined without a limit. */
  readonly perSecond: number | undefined
  /** Requests that could be sent at once now; undefined without a limit. */
  readonly available: number | undefined
}

/** Issues temporary credentials, which are not stored. */
export interface Sessions {
  /** @throws {SessionTooLarge} if its policies and tags do not fit into a token */
  issue(session: Session, charactersMin?: number): IssuedSession
}

/** Forward access sessions: a service proves that a user sent it a request. */
export interface ForwardAccess {
  /**
   * Verifies a user's signed request to a service, and issues a token for calls on the user's behalf.
   * @param serviceKeyId the access key of the service that received the request
   * @throws {KmsError} if the request proves nothing
   */
  prove(
    request: ForwardedRequest,
    serviceKeyId: string,
    where: { readonly partition: string; readonly lifetimeMs: number },
  ): Promise<{
    /** The token that the service sends with its signed calls. */
    readonly token: string
    /** The user as caller through the service. */
    readonly caller: Caller
    /** Milliseconds since the epoch. */
    readonly expiresAt: number
  }>
}

/** Markers of paginated lists. A marker is accepted only for the list that it was issued for. */
export interface Pages {
  /** @throws {KmsError} `InvalidMarkerException` */
  open(scope: string, marker: string | undefined): string | undefined
  seal(scope: string, after: string): string
}

/** Checks and shows key policies. */
export interface KeyPolicies {
  /** The policy of a key that is created without one. */
  defaultFor(partition: string, accountId: string): string
  /** The key policy for responses: deleted principals appear as their unique ids. */
  shown(key: KeyRecord): Promise<string>
  /**
   * Checks structure, size, principals and, unless `bypassLockoutCheck`, that the caller of `call` can
   * change the policy again. Returns the unique ids of its principals, by ARN.
   * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
   */
  check(
    policy: string,
    key: KeyRef,
    call: Pick<Call<unknown, never>, 'caller' | 'partition' | 'region' | 'origin'>,
    bypassLockoutCheck: boolean,
  ): Promise<Readonly<Record<string, string>>>
}

/** Checks and shows trust policies of roles. */
export interface TrustPolicies {
  /**
   * Checks structure, size and principals. Returns the unique ids of its principals, by ARN.
   * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
   */
  check(
    policy: string,
    call: Pick<Call<unknown, never>, 'partition'>,
  ): Promise<Readonly<Record<string, string>>>
  /** The trust policy for responses: deleted principals appear as their unique ids. */
  shown(role: Pick<RoleRecord, 'trustPolicy' | 'trustPrincipals'>): Promise<string>
}

/** Looks up accounts, users and roles. */
export interface Principals {
  /** The unique id of the principal with this ARN; undefined if there is none. */
  readonly idOf: (arn: string) => Promise<string | undefined>
  /**
   * The role with the unique id `AROA…`, or its session `AROA…:session`; undefined if the role is deleted.
   */
  readonly ofRoleId: (uniqueId: string, partition: string) => Promise<RolePrincipal | undefined>
}

/** When each key was last used. */
export interface KeyUsages {
  /** Start of tracking, in milliseconds since the epoch. Earlier uses are unknown. */
  readonly since: number
  /**
   * The last successful cryptographic use; undefined if there is none since `since`. If the result is
   * `unproved`, treat the key as used just now.
   */
  lastOf(key: KeyRecord): Promise<LastUsage | LostUsage | undefined>
  /**
   * Has other nodes save their uses of the key, so that `lastOf` has them. Answers until when a node may have
   * used it that did not; undefined if all did.
   */
  settle(key: KeyRecord): Promise<number | undefined>
}

/** When each long-term access key last signed a call. */
export interface AccessKeyUses {
  /** Undefined if it never signed a call. */
  lastOf(accessKeyId: string): Promise<AccessKeyUse | undefined>
}

/** When each role was last used. */
export interface RoleUses {
  lastOf(roleId: string): Promise<RoleUse | undefined>
}
