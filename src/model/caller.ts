/** Who calls: what authentication proves and everything after it relies on. @module */

/**
 * `root`, `user` and `assumed-role` are AWS's principals. `operator` came through the operator door,
 * `test` through the test API; neither can call an AWS service.
 */
export type CallerKind = 'root' | 'user' | 'assumed-role' | 'operator' | 'test'

export interface Caller {
  readonly kind: CallerKind
  readonly accountId: string
  /** In the partition of the call's Region; `arn:aws:iam::111122223333:root` for a root user. */
  readonly arn: string
  /** The account id for a root user, `AIDA…` for a user, `AROA…:session` for a role. */
  readonly uniqueId: string
  /** Absent for operators and the test API, which sign nothing. */
  readonly accessKeyId?: string
  readonly userName?: string
  /** Of an assumed role whose path its session's ARN does not show. */
  readonly roleArn?: string
}

/** The unique id of the role behind a session, whose own is `AROA…:session`. */
export function roleIdOf({ uniqueId }: Pick<Caller, 'uniqueId'>): string {
  const [roleId = ''] = uniqueId.split(':')
  return roleId
}
