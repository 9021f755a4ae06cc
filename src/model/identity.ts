/**
 * What IAM users, roles and groups have in common: a name under a path, policies, tags, ARNs and
 * unique ids.
 * @module
 */
import { formatArn } from './arn.ts'

export interface IdentityTag {
  readonly Key: string
  readonly Value: string
}

/** The characters that AWS's models allow in a tag's key and value. */
export const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

export type IdentityKind = 'user' | 'role' | 'group'

export interface IdentityRecord {
  readonly accountId: string
  /** As given. Names of the same kind in one account must differ in more than case. */
  readonly name: string
  /** `/` or `/…/`. */
  readonly path: string
  /** Policy documents by name, as written. */
  readonly inlinePolicies: Readonly<Record<string, string>>
  /** Unique ids of managed policies, in the order in which they were attached. */
  readonly attachedPolicies: readonly string[]
  /** The unique id of the managed policy that is the permissions boundary. */
  readonly permissionsBoundary?: string
  readonly tags: readonly IdentityTag[]
  readonly createdAt: number
  readonly rowVersion: number
}

/** Identifies an identity among those of its kind. */
export type NamedPlace = Pick<IdentityRecord, 'accountId' | 'name' | 'path'>

/** Builds `arn:aws:iam::111122223333:user/a/b` from the path `/a/` and the name `b`. */
export function identityArn(
  partition: string,
  kind: IdentityKind,
  { accountId, path, name }: NamedPlace,
): string {
  const resource = `${kind}${path}${name}`
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

const resourceOf: Readonly<Record<IdentityKind, RegExp>> = {
  user: /^user(\/(?:.*\/)?)([^/]+)$/s,
  role: /^role(\/(?:.*\/)?)([^/]+)$/s,
  group: /^group(\/(?:.*\/)?)([^/]+)$/s,
}

/** The path and name in an ARN's resource, or undefined if it is of another kind. */
export function readIdentityResource(
  kind: IdentityKind,
  resource: string,
): { readonly path: string; readonly name: string } | undefined {
  const parts = resourceOf[kind].exec(resource)
  const [, path = '', name = ''] = parts ?? []
  return parts === null ? undefined : { path, name }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Builds `AIDA…`, `AROA…`, `AKIA…`: the prefix and one random base-32 character for each of
 * `bytes`.
 */
export function identifierOf(prefix: string, bytes: Uint8Array): string {
  return prefix + Array.from(bytes, (byte) => base32.charAt(byte & 31)).join('')
}

/** The number of characters after the prefix of a unique id. */
export const uniqueIdCharacters = 17
