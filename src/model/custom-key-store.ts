/**
 * Custom key stores: accounts keep key material of their own in an HSM, or in a key manager outside.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-store-overview.html
 * @module
 */

export interface CustomKeyStoreRef {
  readonly accountId: string
  readonly region: string
  /** `cks-` and 17 hex digits. */
  readonly storeId: string
}

export type ConnectionState =
  | 'CONNECTED'
  | 'CONNECTING'
  | 'DISCONNECTED'
  | 'DISCONNECTING'
  | 'FAILED'

/** Why the last attempt to connect failed, in AWS's words. */
export type ConnectionErrorCode =
  | 'INVALID_CREDENTIALS'
  | 'CLUSTER_NOT_FOUND'
  | 'NETWORK_ERRORS'
  | 'INTERNAL_ERROR'
  | 'INSUFFICIENT_CLOUDHSM_HSMS'
  | 'USER_LOCKED_OUT'
  | 'USER_NOT_FOUND'
  | 'USER_LOGGED_IN'
  | 'SUBNET_NOT_FOUND'
  | 'INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET'
  | 'XKS_PROXY_ACCESS_DENIED'
  | 'XKS_PROXY_NOT_REACHABLE'
  | 'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND'
  | 'XKS_PROXY_INVALID_RESPONSE'
  | 'XKS_PROXY_INVALID_CONFIGURATION'
  | 'XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION'
  | 'XKS_PROXY_TIMED_OUT'
  | 'XKS_PROXY_INVALID_TLS_CONFIGURATION'

/** How AWS KMS reaches a proxy. */
export interface XksProxy {
  /** `https://` and a host. */
  readonly endpoint: string
  /** Ends with `/kms/xks/v1`. */
  readonly path: string
  readonly connectivity: 'PUBLIC_ENDPOINT' | 'VPC_ENDPOINT_SERVICE'
  /** Present with VPC_ENDPOINT_SERVICE. */
  readonly vpcServiceName?: string
  /** The account that owns the VPC endpoint service. */
  readonly vpcServiceOwner?: string
  readonly accessKeyId: string
  /** When the credential was set, in milliseconds since the epoch. */
  readonly credentialSetAt: number
}

/** The HSM cluster behind a key store of type AWS_CLOUDHSM. */
export interface StoreCluster {
  /** `cluster-` and 11 to 16 letters and digits: it names a cluster of the operator's settings. */
  readonly clusterId: string
  /** The certificate that the account gave for it, in PEM. */
  readonly trustAnchor: string
}

export interface CustomKeyStoreRecord extends CustomKeyStoreRef {
  readonly name: string
  readonly type: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'
  readonly connection: ConnectionState
  /** Present in FAILED only. */
  readonly connectionError?: ConnectionErrorCode
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Present for EXTERNAL_KEY_STORE. */
  readonly proxy?: XksProxy
  /** Present for AWS_CLOUDHSM. */
  readonly cluster?: StoreCluster
  /** The secret by which Trent proves itself to the proxy or the cluster, wrapped. */
  readonly wrappedSecret: Uint8Array
  /** The version of the domain key that wraps it. */
  readonly wrappingVersion: number
  readonly rowVersion: number
}
