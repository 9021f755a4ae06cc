/** Credentials that sign requests, and their owners. @module */
import type { KeyObject } from 'node:crypto'
import type { Awaitable } from '../model/awaitable.ts'
import type { ServedProxyRecord } from '../model/served-proxy.ts'
import type { ServiceRecord } from '../model/service.ts'
import type { Session } from '../model/session.ts'

/** An access key with its secret unsealed. */
export interface Credential {
  readonly accessKeyId: string
  readonly accountId: string
  /** The owner. For a session: the principal whose permissions it has. */
  readonly principalKind: 'root' | 'user' | 'role' | 'service' | 'xks-client'
  /**
   * The account id for a root user, `AIDA…` for a user, `AROA…` for a role, the name for a service, the id
   * of its proxy for an XKS client.
   */
  readonly principalId: string
  /** Present for a user. */
  readonly userName?: string
  /** For a user; `/` when absent. */
  readonly userPath?: string
  /** Present for a role. */
  readonly role?: { readonly name: string; readonly path: string }
  /** Present for a service, which belongs to no account. */
  readonly service?: ServiceRecord
  /** Present for a client of an XKS proxy that Trent serves. */
  readonly proxy?: ServedProxyRecord
  /** Present for temporary credentials. */
  readonly session?: Session
  readonly status: 'Active' | 'Inactive'
  /**
   * The HMAC key `"AWS4" ‖ secret access key`. The object stays the same while the secret does, because
   * the cache of signing keys compares it by identity.
   */
  readonly signingSecret: KeyObject
}

/** The part of a credential that identifies its owner. */
export type Owned = Omit<Credential, 'signingSecret'>

/**
 * Finds an access key by its id and the session token of the request, active or not. Undefined when
 * there is none. Its errors are passed on: an outage, or `ExpiredTokenException`.
 */
export type CredentialLookup = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Awaitable<Credential | undefined>
