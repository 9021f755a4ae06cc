/**
 * What an operation is: data and one function. The pipeline reads the data; `run` sees its input, its
 * caller, its keys and ports, and never HTTP, audit or a database driver.
 * @module
 */
import type { TrailPorts } from '../model/trail.ts'
import type { ErrorCode } from '../errors.ts'
import type { KeyStore } from '../keystores/keystore.ts'
import type { Caller } from '../model/caller.ts'
import type { DeletionTasks } from './iam/deletion-task.ts'
import type { AccessKeyOwner, FixedAccessKeys, MadeAccessKey } from './access-key-ports.ts'
import type { EventLookup } from '../model/audit-event.ts'
import type { AccessKeyUse } from '../model/access-key.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { ForwardedRequest } from '../model/forwarded-request.ts'
import type { GrantRecord } from '../model/grant.ts'
import type { GroupRecord } from '../model/group.ts'
import type { RequestedGrant } from '../authorize/decision.ts'
import type { AliasRecord, AliasRef, KeyRecord, KeyRef, KeyState, KeyUsage } from '../model/key.ts'
import type { LastUsage, LostUsage, TrackedOperation } from '../model/last-usage.ts'
import type { RegionTable } from '../model/region.ts'
import type { FurtherEvent } from '../model/further-event.ts'
import type { Input, Members } from '../model/shape.ts'
import type { RolePrincipal, RoleRecord, RoleUse } from '../model/role.ts'
import type { UserRecord } from '../model/user.ts'
import type { IssuedSession, Session } from '../model/session.ts'
import type { Figures } from '../store/figures.ts'
import type { DeletedKeys, DeletedMaterials, StoreReads, Transaction } from '../store/store.ts'
import type { Explanations } from '../model/access-questions.ts'

import type { Faults } from '../throttle/faults.ts'
import type { ResourceQuotas } from '../throttle/profiles.ts'

/** How an operation names a key, and what it asks of it. */
export interface KeyUse {
  /** The input member that names the key; not read where `AliasUse.target` names this use. */
  readonly from: string
  /** Which identifier forms the member takes: a key id or ARN, or aliases as well. */
  readonly forms: 'key' | 'any'
  /**
   * The member that names the Region of the key, where it is not the call's: the key of the same id there.
   * Where there is none, the operation sees none.
   */
  readonly region?: string
  /** The member whose ciphertext names the key where `from` is left out, and must match it where not. */
  readonly ciphertext?: string
  /** The member whose grant token names the key where `from` is left out. */
  readonly token?: string
  /** The member that holds the encryption context of this use: constraints of grants speak of it. */
  readonly encryptionContext?: string
  /** The permission, for example `kms:Encrypt`. */
  readonly action: string
  /** What AWS calls the use in its refusals, where that is not the operation's name: `ReEncryptFrom`. */
  readonly usedFor?: string
  /** Whether a caller of another account can be given this. */
  readonly crossAccount: boolean
  readonly usage?: KeyUsage
  /** A replica is refused for being one, whatever its state. */
  readonly noReplica?: true
  readonly states: readonly KeyState[]
}

/** How an operation names an alias: its ARN is authorized, and for `target` the key that it points to. */
export interface AliasUse {
  readonly from: string
  readonly action: string
  /** The alias must exist, and the key it points to is authorized as well: `keys.<target>`. */
  readonly target?: string
}

/** How an operation of IAM names a user, a group or a role: its ARN is authorized. */
export interface IdentityUse {
  readonly from: string
  readonly action: string
  /** `caller`: the caller is meant where the name is left out. `made`: there is none of that name yet. */
  readonly absent?: 'caller' | 'made'
  /** The members that give it another name and another path: the ARN that it gets is authorized too. */
  readonly becomes?: { readonly name: string; readonly path: string }
}

/** How an operation names a role, of any account, whose trust policy is asked. */
export interface AssumedRoleUse {
  /** The member that holds its ARN. */
  readonly from: string
  /** What the trust policy and the caller's own account must allow, in this order. */
  readonly actions: (input: never, caller: Caller) => readonly string[]
}

/** How an operation names a grant on its key, where the grant itself decides who may. */
export interface GrantUse {
  /** The member that holds the grant's id. */
  readonly from: string
  /** The member that holds a token of it, in the place of the key and the id. */
  readonly token: string
  /** The entry of `keys` that it is a grant of. */
  readonly key: string
}

/** A permission on no key: its resource is `*`. */
export interface Permission {
  readonly action: string
  /** The Region that it is for, where it is not the call's. It is asked for behind the keys. */
  readonly region?: string
  /** The resource, where it is not `*`. */
  readonly arn?: string
  /** How a refusal names the resource, where that is not its ARN. */
  readonly shown?: string
  /** The resource in the caller's account: what follows `arn:<partition>:iam::<account>:`. */
  readonly iamResource?: string
  /** The same for what follows `arn:<partition>:sts::<account>:`. */
  readonly stsResource?: string
  /** The same for what follows `arn:<partition>:cloudtrail:<region>:<account>:`. */
  readonly trailResource?: string
  /** The same for what follows `arn:<partition>:kms:<region>:<account>:`; `region` above counts. */
  readonly kmsResource?: string
  /** AWS leaves `on resource: …` out of some refusals. */
  readonly unnamedResource?: true
}

export type ContextEntries = Readonly<Record<string, string | readonly string[] | undefined>>

/** Ports and settings that operations may use. */
export interface OperationPorts {
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
  readonly quotas: QuotaPorts
  readonly trails: TrailPorts
  readonly server: ServerControls
}

/** Whom policies and grants name: checked against the principals that there are. */
export type PrincipalChecks = Pick<OperationPorts, 'policies' | 'trustPolicies' | 'principals'>

/** Identity providers that may be. */
export interface WebIdentityRules {
  /** Whether what it publishes may be asked for at all: over HTTPS, or as the settings say. */
  readonly mayBeIssuer: (url: string) => boolean
}

/** What there may be, and how often it may be asked. */
export interface QuotaPorts {
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

/** What operators and the test API may ask of the running server. */
export interface ServerControls {
  status(): Promise<ServerStatus>
  /**
   * Moves the clock that is stored and decided by, and resolves when what has become due by it was
   * tried. Only where the test API is on.
   */
  moveClock(to: number): Promise<void>
  /** Somebody vouches for the system's clock; what has waited for it was tried when this resolves. */
  acceptClock(): Promise<void>
  /** What calls are made to suffer; there is none where the test API is off. */
  readonly faults: Pick<Faults, 'list' | 'replace'>
  /** The account that the first start made: a reset leaves it and its root credentials. */
  readonly firstAccount: { readonly accountId: string }
}

export interface ServerStatus {
  readonly version: string
  readonly ready: boolean
  readonly sealed: boolean
  /** ISO 8601, UTC. */
  readonly startedAt: string
  readonly region: string
  readonly accountId: string
  readonly journal: {
    readonly healthy: boolean
    readonly stream: string
    readonly segment: number
    /** Fingerprints of the keys that sign its checkpoints. */
    readonly keys: readonly string[]
    /** The last one: kept elsewhere, it shows later that the journal was not cut before it. */
    readonly checkpoint: { readonly text: string; readonly signature: string }
    /** The last ones of the other streams, where there are any. */
    readonly otherCheckpoints?: readonly { readonly text: string; readonly signature: string }[]
  }
  readonly changes: number
  readonly clock: {
    /** ISO 8601, UTC. */
    readonly now: string
    /** Why nothing is deleted: `trent clock accept` ends it. */
    readonly held?: string
  }
  /** Keys that are gone, and the domain keys that could still open a copy of their material. */
  readonly deleted: DeletedKeys
  /** The same of imported materials that were taken from keys that live on. */
  readonly deletedMaterials: DeletedMaterials
  /** Requests whose caller could not be proved, since the start. */
  readonly refusedRequests: number
}

/** Where a call came from, for conditions. */
export interface Origin {
  readonly sourceAddress: string
  /** True over TLS, or without leaving the machine: `RequestHead`. */
  readonly secure: boolean
  readonly userAgent: string | undefined
  readonly referer: string | undefined
}

/** As the record names them: 64 lower-case hex digits each. */
export interface UsedMaterials {
  readonly keyMaterialId?: string | undefined
  readonly sourceKeyMaterialId?: string | undefined
  readonly destinationKeyMaterialId?: string | undefined
}

/** What a record names. */
export interface Concerned {
  readonly arn: string
  readonly accountId: string
  /** That of a key where it is left out. */
  readonly type?: string
}

/** One call of an operation: everything resolved, every permission checked. */
export interface Call<I, K extends string> {
  readonly input: I
  readonly caller: Caller
  readonly partition: string
  readonly region: string
  readonly origin: Origin
  readonly requestId: string
  /** The keys that the operation declared, in a state and of a usage that it allows. */
  readonly keys: Readonly<Record<K, KeyRecord>>
  /** The alias that the operation declared; `record` is present when it exists. */
  readonly alias?: AliasRef & { readonly record?: AliasRecord }
  /** The user that the operation declared; absent when the caller is meant and is no user. */
  readonly user?: UserRecord
  /** The role that the operation declared. */
  readonly role?: RoleRecord
  /** The group that the operation declared. */
  readonly group?: GroupRecord
  /** The role that the operation declared to assume. */
  readonly assumed?: { readonly record: RoleRecord; readonly arn: string }
  /** The grant that the operation declared. */
  readonly grant?: GrantRecord
  readonly signal: AbortSignal
  /** ARN of a key in the call's partition. */
  readonly arn: (key: KeyRef) => string
  /** Says that the call is about a key that it makes: its record names the key. */
  readonly made: (key: KeyRef) => void
  /** Says whom or what the call is about, where that is no key: its record names it. */
  readonly concerning: (resource: Concerned) => void
  /** Says which materials of symmetric keys the call works with: its record names them. */
  readonly usesMaterials: (materials: UsedMaterials) => void
  /**
   * Says what the service does for the call in another Region, or of itself: one more record, which commits
   * with the change. To be said inside what `commit` runs.
   */
  readonly alsoRecords: (event: FurtherEvent) => void
  /**
   * Changes the store. `work` may run more than once, and answers the operation's output: the audit
   * record of the call commits with it. Called at most once.
   */
  readonly commit: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>
}

export interface Operation<
  M extends Members = Members,
  Output = unknown,
  K extends string = string,
> {
  readonly service: 'kms' | 'iam' | 'sts' | 'cloudtrail' | 'monitoring' | 'trent'
  /** The name on the wire; the file is its kebab-case, the export its camelCase. */
  readonly name: string
  /**
   * Who may come in: holders of an access key or of an identity token, services by a path of Trent's own,
   * operators on the socket, the test API.
   */
  readonly door: 'signed' | 'token' | 'service' | 'operator' | 'test'
  /** Of an operation that is not signed: the members that name the role and hold the token. */
  readonly token?: { readonly role: string; readonly from: string }
  readonly input: M
  readonly keys: Readonly<Record<K, KeyUse>>
  readonly alias?: AliasUse
  readonly user?: IdentityUse
  readonly role?: IdentityUse
  readonly group?: IdentityUse
  readonly assumes?: AssumedRoleUse
  readonly grant?: GrantUse
  /** The grant that the call would make: a grant allows none that is wider than itself. */
  requestedGrant?(input: Input<M>): RequestedGrant
  /** Members that name principals, which may be unique ids of roles: conditions see their ARNs. */
  readonly principalMembers?: readonly (keyof M & string)[]
  /** Permissions that are about no key. */
  permissions?(input: Input<M>): readonly Permission[]
  /**
   * Condition keys of this operation, beside those that every call has. `use` names the entry of
   * `keys` whose permission is being decided: undefined for an alias and for a permission on no key.
   * `found` holds the keys that exist, `grant` the grant that the operation names.
   */
  context?(
    input: Input<M>,
    use: K | undefined,
    found: Readonly<Partial<Record<K, KeyRecord>>>,
    grant?: GrantRecord,
  ): ContextEntries
  /**
   * The member of its answer that is sealed for an attested `Recipient` of the call, and then left out.
   * The pipeline does it: an operation answers its plaintext in either case.
   */
  readonly recipient?: string
  /** Its success counts as a cryptographic use of each of its keys: its own name, as AWS tracks it. */
  readonly tracksUsage?: TrackedOperation
  /** Policies may ask for how many days its key was not used: `kms:TrailingDaysWithoutKeyUsage`. */
  readonly asksIdleDays?: true
  /** `readOnly` of the audit record. */
  readonly readOnly: boolean
  /** Input members that the audit record keeps; no secret may be among them. */
  readonly audit: readonly (keyof M & string)[]
  /** `requestParameters` that AWS records though the caller left them out. */
  auditDefaults?(input: Input<M>): Readonly<Record<string, unknown>>
  /** `responseElements` of the audit record; null when left out. */
  auditResponse?(
    output: Output,
    arns: Readonly<Record<K, string>>,
  ): Readonly<Record<string, unknown>>
  /** Errors that it may raise, in order of precedence. */
  readonly throws: readonly ErrorCode[]
  /** Checks across members that need no key. @throws {KmsError} */
  check?(input: Input<M>): void
  run(call: Call<Input<M>, K>, ports: OperationPorts): Promise<Output>
  /** What the service changes of itself behind what `run` commits, in the same transaction. */
  alsoChanges?(
    call: Call<Input<M>, K>,
    transaction: Transaction,
    ports: OperationPorts,
  ): Promise<void>
}

/** `unknown` when our members are the SDK's; otherwise something that no definition satisfies. */
export type Drift<Request, M extends Members> = [Input<M>] extends [Request]
  ? [keyof Request] extends [keyof M]
    ? unknown
    : { readonly input: { readonly missing: Exclude<keyof Request, keyof M> } }
  : { readonly input: { readonly differs: Request } }

/** Whatever takes a `Recipient` says what is sealed for it; an operation that does not, does not compile. */
type Sealing<Request, Response> = 'Recipient' extends keyof Request
  ? { readonly recipient: keyof Response & string }
  : unknown

/**
 * Declares an AWS KMS operation, checked at compile time against the official SDK's request and
 * response, so that drift does not compile.
 */
export function operation<Request, Response>() {
  return <const M extends Members, K extends string>(
    definition: Omit<Operation<M, Response, K>, 'service' | 'door'> &
      Drift<Request, M> &
      Sealing<Request, Response>,
  ): Operation<M, Response, K> => ({ service: 'kms', door: 'signed', ...definition })
}
