/** Who calls: what authentication proves and everything after it relies on. @module */
import type { Session } from './session.ts'

/**
 * `root`, `user`, `assumed-role` and `federated-user` are AWS's principals. `operator` came through the
 * operator door, `test` through the test API; neither can call an AWS service.
 */
export type CallerKind = 'root' | 'user' | 'assumed-role' | 'federated-user' | 'operator' | 'test'

export interface SessionIssuer {
  readonly type: 'Root' | 'IAMUser' | 'Role'
  /** `AROA…`, `AIDA…`, or the account id for a root user. */
  readonly principalId: string
  readonly arn: string
  readonly accountId: string
  readonly userName?: string
}

export interface Caller {
  readonly kind: CallerKind
  readonly accountId: string
  /** In the partition of the call's Region; `arn:aws:iam::111122223333:root` for a root user. */
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
}

/** The unique id of the role behind a session, whose own is `AROA…:session`. */
export function roleIdOf({ uniqueId }: Pick<Caller, 'uniqueId'>): string {
  const [roleId = ''] = uniqueId.split(':')
  return roleId
}
