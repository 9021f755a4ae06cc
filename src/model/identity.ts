/**
 * What users, roles and groups of IAM have in common: a name under a path, policies, tags; and how their ARNs
 * and unique ids are made.
 * @module
 */
import { formatArn } from './arn.ts'

export interface IdentityTag {
  readonly Key: string
  readonly Value: string
}

/** The characters of a tag's key and value, as AWS's models have them. */
export const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

export type IdentityKind = 'user' | 'role' | 'group'

export interface IdentityRecord {
  readonly accountId: string
  /** As it was given; no two of a kind in an account differ in case only. */
  readonly name: string
  /** `/`, or `/…/`. */
  readonly path: string
  /** Policy documents by name, as they were written. */
  readonly inlinePolicies: Readonly<Record<string, string>>
  /** Unique ids of managed policies, in the order in which they were attached. */
  readonly attachedPolicies: readonly string[]
  /** The unique id of the managed policy that bounds what its policies can give. */
  readonly permissionsBoundary?: string
  readonly tags: readonly IdentityTag[]
  readonly createdAt: number
  readonly rowVersion: number
}

/** What names an identity within its kind. */
export type NamedPlace = Pick<IdentityRecord, 'accountId' | 'name' | 'path'>

/** `arn:aws:iam::111122223333:user/a/b`: the path `/a/` and the name `b`. */
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

/** What of an ARN's resource is path and name, when it is one of that kind. */
export function readIdentityResource(
  kind: IdentityKind,
  resource: string,
): { readonly path: string; readonly name: string } | undefined {
  const parts = resourceOf[kind].exec(resource)
  const [, path = '', name = ''] = parts ?? []
  return parts === null ? undefined : { path, name }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `AIDA…`, `AROA…`, `AKIA…`: a prefix and random characters of base 32, one for each of `bytes`. */
export function identifierOf(prefix: string, bytes: Uint8Array): string {
  return prefix + Array.from(bytes, (byte) => base32.charAt(byte & 31)).join('')
}

/** Characters after the prefix of a unique id. */
export const uniqueIdCharacters = 17
