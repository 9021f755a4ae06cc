/** Users of IAM, and how their ARNs and unique ids are made. @module */
import { formatArn } from './arn.ts'

export interface IdentityTag {
  readonly Key: string
  readonly Value: string
}

export interface UserRecord {
  /** `AIDA…`, unique for all time: a namesake has another. */
  readonly userId: string
  readonly accountId: string
  /** As it was given; no two of an account differ in case only. */
  readonly name: string
  /** `/`, or `/…/`. */
  readonly path: string
  /** Policy documents by name, as they were written. */
  readonly inlinePolicies: Readonly<Record<string, string>>
  /** Unique ids of managed policies, in the order in which they were attached. */
  readonly attachedPolicies: readonly string[]
  readonly tags: readonly IdentityTag[]
  readonly createdAt: number
  readonly rowVersion: number
}

type Named = Pick<UserRecord, 'accountId' | 'name' | 'path'>

export function userArn(partition: string, { accountId, path, name }: Named): string {
  const resource = `user${path}${name}`
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

/** What of an ARN's resource is path and name: `user/a/b` has the path `/a/` and the name `b`. */
export function readUserResource(
  resource: string,
): { readonly path: string; readonly name: string } | undefined {
  const parts = /^user(\/(?:.*\/)?)([^/]+)$/s.exec(resource)
  const [, path = '', name = ''] = parts ?? []
  return parts === null ? undefined : { path, name }
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `AIDA…`, `AKIA…`: a prefix and random characters of base 32, one for each of `bytes`. */
export function identifierOf(prefix: string, bytes: Uint8Array): string {
  return prefix + Array.from(bytes, (byte) => base32.charAt(byte & 31)).join('')
}

/** Characters after the prefix of a unique id. */
export const uniqueIdCharacters = 17
