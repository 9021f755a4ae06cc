/**
 * XKS proxies that Trent serves: AWS KMS, or another Trent, keeps the outer half of its keys here. A proxy
 * has a path, credentials, and the keys that it exports.
 * @see docs/custom-key-stores.md
 * @module
 */

export interface ServedProxyRef {
  /** `xks-` and 17 hex digits: the first segment of the proxy's path. Unique in the deployment. */
  readonly proxyId: string
}

/** Calls of the proxy API that use a key. GetHealthStatus is open to every credential. */
export const xksOperations = ['GetKeyMetadata', 'Encrypt', 'Decrypt'] as const
export type XksOperation = (typeof xksOperations)[number]

export const externalUsages = ['ENCRYPT', 'DECRYPT'] as const
/** What an exported key can be used for. */
export type ExternalUsage = (typeof externalUsages)[number]

/**
 * What a call may be, besides properly signed. A list that is present must have a member that fits. Patterns
 * have `*` and `?`.
 */
export interface ProxyLimits {
  readonly operations?: readonly XksOperation[]
  readonly keyIds?: readonly string[]
  /** Patterns for the member of the request metadata with that name. */
  readonly awsPrincipalArn?: readonly string[]
  readonly kmsKeyArn?: readonly string[]
  readonly kmsOperation?: readonly string[]
}

export interface ServedProxyRecord extends ServedProxyRef {
  /** The account and the Region of the exported keys. */
  readonly accountId: string
  readonly region: string
  /** For people; unique in the account and Region. */
  readonly name: string
  /** Of all calls; the limits of the credential come in addition. */
  readonly limits?: ProxyLimits
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly rowVersion: number
}

export interface ProxyCredentialRecord extends ServedProxyRef {
  /** 20 to 30 characters of base 32. */
  readonly accessKeyId: string
  readonly accountId: string
  readonly region: string
  readonly limits?: ProxyLimits
  readonly createdAt: number
  readonly wrappedSecret: Uint8Array
  /** The version of the domain key that wraps the secret. */
  readonly wrappingVersion: number
  readonly rowVersion: number
}

export interface ExportedKeyRecord extends ServedProxyRef {
  readonly accountId: string
  readonly region: string
  /** The external key id. */
  readonly keyId: string
  /** Empty if the key is only shown. */
  readonly usages: readonly ExternalUsage[]
  readonly createdAt: number
  readonly rowVersion: number
}

/** Limits on what an operator can create. */
export const servedProxyLimits = {
  /** Of an account in a Region. */
  proxies: 10,
  /** Two are live while one replaces the other; more are for several clients. */
  credentials: 5,
  keys: 1000,
  /** Entries of one list of `ProxyLimits`. */
  entries: 50,
} as const

/** The path of the proxy, `XksProxyUriPath` in AWS's words. */
export function servedPath({ proxyId }: ServedProxyRef): string {
  return `/${proxyId}/kms/xks/v1`
}

export const proxyIdPattern = 'xks-[0-9a-f]{17}'
