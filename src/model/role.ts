/** Roles of IAM, and how their ARNs are made. @module */
import { identityArn, type IdentityRecord, type NamedPlace } from './identity.ts'

export interface RoleRecord extends IdentityRecord {
  /** `AROA…`, unique for all time: a namesake has another. */
  readonly roleId: string
  /** Who may assume it: the document as it was written. */
  readonly trustPolicy: string
  /**
   * Unique ids of the users, roles and sessions that the trust policy names, by ARN, from when it was
   * written: a namesake of one that is gone is not trusted.
   */
  readonly trustPrincipals: Readonly<Record<string, string>>
  readonly description: string
  /** The longest session that may be asked for. */
  readonly maxSessionSeconds: number
  /** Sessions that were issued until this moment hold no more. */
  readonly sessionsRevokedAt?: number
  /** The service that it is for, as `autoscaling.amazonaws.com`: only that service's ways change it. */
  readonly serviceLinked?: string
}

/** That a session of a role has called. */
export interface RoleUse {
  readonly roleId: string
  /** The time that the call's audit record says, in milliseconds since the epoch. */
  readonly usedAt: number
  readonly region: string
}

export const maxSessionSecondsByDefault = 3600

export function roleArn(partition: string, role: NamedPlace): string {
  return identityArn(partition, 'role', role)
}

const uniqueIdPattern = /^(AROA[A-Z0-9]{16,124})(?::([\w+=,.@-]{2,64}))?$/

/** The parts of a role's unique id `AROA…`, or of a session's `AROA…:session`; undefined for other text. */
export function readRoleId(
  text: string,
): { readonly roleId: string; readonly session?: string } | undefined {
  const [, roleId, session] = uniqueIdPattern.exec(text) ?? []
  return roleId === undefined ? undefined : { roleId, ...(session !== undefined && { session }) }
}

/** A role or one of its sessions. */
export interface RolePrincipal {
  readonly arn: string
  /** As it was asked for. */
  readonly uniqueId: string
  readonly accountId: string
}
