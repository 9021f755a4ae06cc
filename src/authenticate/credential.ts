/** Credentials that sign requests, and who owns them. @module */
import type { KeyObject } from 'node:crypto'
import type { ServiceRecord } from '../model/service.ts'
import type { Session } from '../model/session.ts'

/** An access key, opened. */
export interface Credential {
  readonly accessKeyId: string
  readonly accountId: string
  /** For a session, whose permissions it has. */
  readonly principalKind: 'root' | 'user' | 'role' | 'service'
  /** The account id for a root user, `AIDA…` for a user, `AROA…` for a role, the name of a service. */
  readonly principalId: string
  /** Present for a user. */
  readonly userName?: string
  /** Of a user: `/` where it is left out. */
  readonly userPath?: string
  /** Present for a role. */
  readonly role?: { readonly name: string; readonly path: string }
  /** Present for a service, of no account. */
  readonly service?: ServiceRecord
  /** Present for temporary credentials. */
  readonly session?: Session
  readonly status: 'Active' | 'Inactive'
  /**
   * The HMAC key `"AWS4" ‖ secret access key`. The same object for as long as the secret is the same:
   * signing keys are remembered by its identity.
   */
  readonly signingSecret: KeyObject
}

/** All of a credential that says whose it is. */
export type Owned = Omit<Credential, 'signingSecret'>

/**
 * Finds an access key by its id, and the session token that came with it, active or not; undefined
 * when there is none. What it throws goes through: an outage, or `ExpiredTokenException`.
 */
export type CredentialLookup = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Promise<Credential | undefined>
