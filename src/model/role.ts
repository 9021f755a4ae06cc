/** IAM roles and their ARNs. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface RoleRecord extends IdentityRecord {
  /** `AROA…`, never reused, so a later role of the same name has another id. */
  readonly roleId: string
  /** The trust policy as written: who may assume the role. */
  readonly trustPolicy: string
  /**
   * Unique ids of the users, roles and sessions in the trust policy, by ARN, at the time it was
   * written. A later principal of the same name is not trusted.
   */
  readonly trustPrincipals: Readonly<Record<string, string>>
  readonly description: string
  /** The longest session that a caller may request. */
  readonly maxSessionSeconds: number
  /** Sessions issued up to this time are revoked. */
  readonly sessionsRevokedAt?: number
  /**
   * The service of a service-linked role, such as `autoscaling.amazonaws.com`. Only operations for
   * service-linked roles can change such a role.
   */
  readonly serviceLinked?: string
}

/** Records that a session of a role made a call. */
export interface RoleUse {
  readonly roleId: string
  /** The time in the call's audit record, in milliseconds since the epoch. */
  readonly usedAt: number
  readonly region: string
}

export const maxSessionSecondsByDefault = 3600

export function roleArn(partition: string, role: NamedPlace): string {
  return identityArn(partition, 'role', role)
}

const uniqueIdPattern = /^(AROA[A-Z0-9]{16,124})(?::([\w+=,.@-]{2,64}))?$/

/**
 * The parts of a role's unique id `AROA…`, or of a session's `AROA…:session`; undefined for other
 * text.
 */
export function readRoleId(
  text: string,
): { readonly roleId: string; readonly session?: string } | undefined {
  const [, roleId, session] = uniqueIdPattern.exec(text) ?? []
  return roleId === undefined ? undefined : { roleId, ...(session !== undefined && { session }) }
}

/** A role or one of its sessions. */
export interface RolePrincipal {
  readonly arn: string
  /** The unique id as the caller wrote it. */
  readonly uniqueId: string
  readonly accountId: string
}
