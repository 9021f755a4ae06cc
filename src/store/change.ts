/** What a change of the store affected. @module */
import type { LoggedKind } from './schema/schema.ts'

/**
 * A record that a change affected, for caches to drop. `id` is a key id, an alias name, an access
 * key id (for a service, that of the service), the unique id of a user, group, role or managed
 * policy, the name of a trail or an OIDC provider, or for a grant the result of `grantChangeId`.
 */
export interface Change {
  readonly seq: number
  readonly kind: LoggedKind | 'everything'
  readonly accountId: string
  readonly region: string
  readonly id: string
}

/** The version of a row that is deleted; those that are there count from 1. */
export const noRow = 0

/** The grant that changed. Without `grantId`, the key is deleted together with all its grants. */
export interface ChangedGrant {
  readonly keyId: string
  readonly grantId?: string
  /** An ARN, an infrastructure principal or a service principal. */
  readonly grantee?: string
}

/** `key id/grant id/grantee`, or only `key id`. Neither id contains a slash. */
export function grantChangeId({ keyId, grantId, grantee = '' }: ChangedGrant): string {
  return grantId === undefined ? keyId : `${keyId}/${grantId}/${grantee}`
}

export function readGrantChangeId(id: string): ChangedGrant {
  const [keyId = '', grantId, ...grantee] = id.split('/')
  return { keyId, ...(grantId !== undefined && { grantId, grantee: grantee.join('/') }) }
}

/** The log of changes, as seen by the store or a transaction. */
export interface ChangeReads {
  /**
   * Returns the changes after `seq` in order; undefined if the log no longer reaches back that far.
   */
  changesSince(seq: number): Promise<readonly Change[] | undefined>
}
