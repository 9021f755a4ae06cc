/** What changes of the store touched. @module */

/**
 * What a change touched, for caches to forget. `id` is a key id, an alias name, an access key id (a
 * service's for a service), the unique id of a user, a group, a role or a managed policy, the name of a
 * trail or an OIDC provider, for a grant what `grantChangeId` makes.
 */
export interface Change {
  readonly seq: number
  readonly kind:
    | 'account'
    | 'access-key'
    | 'service'
    | 'user'
    | 'group'
    | 'role'
    | 'managed-policy'
    | 'oidc-provider'
    | 'key'
    | 'material'
    | 'alias'
    | 'grant'
    | 'trail'
    | 'everything'
  readonly accountId: string
  readonly region: string
  readonly id: string
}

/** Which grant changed. Without `grantId`: the key is deleted, and all of its grants with it. */
export interface ChangedGrant {
  readonly keyId: string
  readonly grantId?: string
  /** An ARN, an infrastructure principal or a service principal. */
  readonly grantee?: string
}

/** `key id/grant id/grantee`, or `key id` alone. Neither id holds a slash. */
export function grantChangeId({ keyId, grantId, grantee = '' }: ChangedGrant): string {
  return grantId === undefined ? keyId : `${keyId}/${grantId}/${grantee}`
}

export function readGrantChangeId(id: string): ChangedGrant {
  const [keyId = '', grantId, ...grantee] = id.split('/')
  return { keyId, ...(grantId !== undefined && { grantId, grantee: grantee.join('/') }) }
}

/** The log of changes, as the store or a transaction sees it. */
export interface ChangeReads {
  /** Changes after `seq` in order, or undefined when the log no longer reaches back so far. */
  changesSince(seq: number): Promise<readonly Change[] | undefined>
}
