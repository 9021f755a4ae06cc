/** The caller: what authentication establishes, and everything after it relies on. @module */
import type { IdentityTag } from './identity.ts'
import type { CallingService, ServicePrincipal } from './service.ts'
import type { Session } from './session.ts'

/**
 * `root`, `user`, `assumed-role` and `federated-user` are principals of accounts. `infrastructure`
 * is something that a service runs for an account. `service` is a service that calls in its own
 * name. `xks-client` is AWS KMS or another Trent, with a credential of an XKS proxy that Trent serves.
 * `operator` came through the operator socket and `test` through the test API; neither can
 * call an AWS service. `web-identity` is the subject of an identity provider's token; it can only
 * ask for a role's session.
 */
export type CallerKind =
  | 'root'
  | 'user'
  | 'assumed-role'
  | 'federated-user'
  | 'web-identity'
  | 'infrastructure'
  | 'service'
  | 'xks-client'
  | 'operator'
  | 'test'

export interface SessionIssuer {
  readonly type: 'Root' | 'IAMUser' | 'Role'
  /** `AROA…`, `AIDA…`, or the account id for a root user. */
  readonly principalId: string
  readonly arn: string
  readonly accountId: string
  readonly userName?: string
}

/** The services through which a caller calls. */
export interface Forwarding {
  /**
   * All services on the way, from the one that the caller called to the one that sends this call:
   * `athena.amazonaws.com`, …
   */
  readonly via: readonly string[]
  /** The last service in `via`. */
  readonly service: CallingService
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
}

export interface Caller {
  readonly kind: CallerKind
  /** Empty for a service, which belongs to no account. */
  readonly accountId: string
  /**
   * In the partition of the call's Region. For a root user, `arn:aws:iam::111122223333:root`; for a
   * web identity, the ARN of its provider.
   */
  readonly arn: string
  /**
   * The account id for a root user, `AIDA…` for a user, `AROA…:session` for a role, `account:name` for a
   * federated user, the id of its proxy for an XKS client.
   */
  readonly uniqueId: string
  /** Absent for operators and the test API, which do not sign. */
  readonly accessKeyId?: string
  readonly userName?: string
  /** The user who logged in, if an operator works as another one. */
  readonly loginName?: string
  /** The role behind a session, because the session's ARN omits the role's path. */
  readonly roleArn?: string
  /** Present if the caller signed with temporary credentials. */
  readonly session?: Session
  /** The identity that gives a session its permissions; present with `session`. */
  readonly issuer?: SessionIssuer
  /** Present for a web identity. */
  readonly webIdentity?: WebIdentityCaller
  /** Present if a service calls on behalf of the caller, by a forward access session. */
  readonly forwarded?: Forwarding
  /** Present for a service that calls in its own name. */
  readonly service?: ServicePrincipal
}

/** What a verified token says. */
export interface WebIdentityCaller {
  /** The name of the identity provider. */
  readonly provider: string
  readonly audience: string
  readonly subject: string
  /** By name. Policies refer to them as `<provider>:<claim>`. */
  readonly claims: Readonly<Record<string, string | readonly string[]>>
  /** Session tags that the provider sets. */
  readonly tags: readonly IdentityTag[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
}

/** The service that sent the call, on behalf of a caller or in its own name. */
export function invokingService({
  forwarded,
  service,
}: Pick<Caller, 'forwarded' | 'service'>): CallingService | undefined {
  return forwarded?.service ?? service
}

/** The unique id of the role behind a session, from the session's `AROA…:session`. */
export function roleIdOf({ uniqueId }: Pick<Caller, 'uniqueId'>): string {
  const [roleId = ''] = uniqueId.split(':')
  return roleId
}
