/** Who calls: what authentication proves and everything after it relies on. @module */
import type { IdentityTag } from './identity.ts'
import type { CallingService, ServicePrincipal } from './service.ts'
import type { Session } from './session.ts'

/**
 * `root`, `user`, `assumed-role` and `federated-user` are principals of accounts, and `infrastructure` is
 * what a service runs for one. `service` is a service in its own name. `operator` came through the
 * operator door, `test` through the test API; neither can call an AWS service. `web-identity` is whom a token
 * of an identity provider proves: it can ask for a role's session, and for nothing else.
 */
export type CallerKind =
  | 'root'
  | 'user'
  | 'assumed-role'
  | 'federated-user'
  | 'web-identity'
  | 'infrastructure'
  | 'service'
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

/** By which services a caller calls. */
export interface Forwarding {
  /** From the one that the caller called to the one that calls here: `athena.amazonaws.com`, … */
  readonly via: readonly string[]
  /** The last of them. */
  readonly service: CallingService
  /** Milliseconds since the epoch. */
  readonly issuedAt: number
}

export interface Caller {
  readonly kind: CallerKind
  /** Empty for a service, which is of no account. */
  readonly accountId: string
  /**
   * In the partition of the call's Region; `arn:aws:iam::111122223333:root` for a root user, its provider's
   * for a web identity.
   */
  readonly arn: string
  /**
   * The account id for a root user, `AIDA…` for a user, `AROA…:session` for a role, `account:name` for a
   * federated user.
   */
  readonly uniqueId: string
  /** Absent for operators and the test API, which sign nothing. */
  readonly accessKeyId?: string
  readonly userName?: string
  /** Of an assumed role whose path its session's ARN does not show. */
  readonly roleArn?: string
  /** Present where temporary credentials signed. */
  readonly session?: Session
  /** Whose permissions a session has; present with `session`. */
  readonly issuer?: SessionIssuer
  /** Of a web identity. */
  readonly webIdentity?: WebIdentityCaller
  /** Present where a service calls for the caller, by a forward access session. */
  readonly forwarded?: Forwarding
  /** Present for a service in its own name. */
  readonly service?: ServicePrincipal
}

/** What a token has proved. */
export interface WebIdentityCaller {
  /** The name of its provider. */
  readonly provider: string
  readonly audience: string
  readonly subject: string
  /** By name; policies ask for them as `<provider>:<claim>`. */
  readonly claims: Readonly<Record<string, string | readonly string[]>>
  /** Tags that the provider gives to the session. */
  readonly tags: readonly IdentityTag[]
  readonly transitiveTagKeys: readonly string[]
  readonly sourceIdentity?: string
}

/** The service that has sent the call, for somebody or in its own name. */
export function invokingService({
  forwarded,
  service,
}: Pick<Caller, 'forwarded' | 'service'>): CallingService | undefined {
  return forwarded?.service ?? service
}

/** The unique id of the role behind a session, whose own is `AROA…:session`. */
export function roleIdOf({ uniqueId }: Pick<Caller, 'uniqueId'>): string {
  const [roleId = ''] = uniqueId.split(':')
  return roleId
}
