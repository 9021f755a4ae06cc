/** What changes of the store touched. @module */

/**
 * What a change touched, for caches to forget. `id` is a key id, an alias name, an access key id (a
 * service's for a service), the unique id of a user, a group, a role or a managed policy, the name of a
 * trail or an OIDC provider, `key id/grantee` for a grant.
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

/** The log of changes, as the store or a transaction sees it. */
export interface ChangeReads {
  /** Changes after `seq` in order, or undefined when the log no longer reaches back so far. */
  changesSince(seq: number): Promise<readonly Change[] | undefined>
}
