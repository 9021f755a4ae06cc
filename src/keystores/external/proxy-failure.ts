/**
 * How a call to an external key store proxy fails, and what AWS KMS answers then: one code for changes of
 * a key store, one for CreateKey, one for a state after Connect, and the same sentence everywhere. The
 * proxy's own `errorMessage` is never passed on.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec "Error codes / KMS considerations"
 * @module
 */
import type { ErrorCode } from '../../errors.ts'
import type { ConnectionErrorCode } from '../../model/custom-key-store.ts'

/** AWS's answers to one kind of failure. */
interface Answers {
  /** For CreateCustomKeyStore and UpdateCustomKeyStore. */
  readonly store: ErrorCode
  readonly createKey: ErrorCode
  /** After ConnectCustomKeyStore. */
  readonly connection: ConnectionErrorCode
  readonly message: string
}

/** Codes of failures that say nothing about the key. */
const away = {
  store: 'XksProxyUriUnreachableException',
  createKey: 'CustomKeyStoreInvalidStateException',
  connection: 'XKS_PROXY_NOT_REACHABLE',
} as const

const odd = {
  store: 'XksProxyInvalidResponseException',
  createKey: 'CustomKeyStoreInvalidStateException',
  connection: 'XKS_PROXY_INVALID_RESPONSE',
} as const

const misconfigured = { ...odd, createKey: 'XksKeyInvalidConfigurationException' } as const

const uninterpretable =
  'AWS KMS cannot interpret the response from the external key store proxy. ' +
  'If you see this error repeatedly, report it to your external key store proxy administrator.'

const answers = {
  ValidationException: { ...odd, message: uninterpretable },
  InvalidStateException: {
    ...misconfigured,
    message:
      'The external key associated with this KMS key in an external key store is not enabled in the ' +
      'external key manager. Enable the external key in the external key manager and retry the request.',
  },
  InvalidCiphertextException: {
    ...odd,
    message:
      'The external key store proxy rejected the request because the specified ciphertext or encryption ' +
      'context is corrupted, missing, or otherwise invalid.',
  },
  InvalidKeyUsageException: {
    ...misconfigured,
    message:
      'The external key associated with this KMS key in an external key store does not support the ' +
      'requested operation. Enable the operation on the key in your external key manager, and try the ' +
      'request again.',
  },
  AuthenticationFailedException: {
    store: 'XksProxyIncorrectAuthenticationCredentialException',
    createKey: 'CustomKeyStoreInvalidStateException',
    connection: 'INVALID_CREDENTIALS',
    message:
      'The external key store proxy rejected the request because it could not authenticate AWS KMS. ' +
      'Verify the XKS proxy authentication credentials for your external key store and update if necessary.',
  },
  AccessDeniedException: {
    ...odd,
    createKey: 'KMSInvalidStateException',
    connection: 'XKS_PROXY_ACCESS_DENIED',
    message:
      'The external key store proxy denied access to the operation. Verify that the user and the ' +
      'external key are both authorized for this operation, and try the request again.',
  },
  KeyNotFoundException: {
    ...odd,
    createKey: 'XksKeyNotFoundException',
    message:
      'The external key associated with this KMS key in an external key store was not found in its ' +
      'external key manager. If the external key ID associated with this KMS key is incorrect, create a ' +
      'new KMS key with the correct external key ID.',
  },
  InvalidUriPathException: {
    store: 'XksProxyInvalidConfigurationException',
    createKey: 'CustomKeyStoreInvalidStateException',
    connection: 'XKS_PROXY_INVALID_CONFIGURATION',
    message:
      'The external key store proxy rejected the request because of an invalid URI path. Verify the URI ' +
      'path for your external key store and update if necessary.',
  },
  UnsupportedOperationException: {
    ...odd,
    message:
      'The external key store proxy rejected the request because it does not support the requested ' +
      'operation. If you see this error repeatedly, report it to your external key store proxy ' +
      'administrator.',
  },
  DependencyTimeoutException: {
    ...away,
    message:
      'The external key store proxy did not respond to the request in the time allotted. Retry the ' +
      'request. If you see this error repeatedly, report it to your external key store proxy administrator.',
  },
  ThrottlingException: {
    ...away,
    message:
      'The external key store proxy rejected the request due to a very high request rate. Reduce the ' +
      'frequency of your calls using KMS keys in this external key store.',
  },
  InternalException: {
    ...odd,
    message:
      'The external key store proxy rejected the request because it cannot communicate with the external ' +
      'key manager. Verify that the external key store proxy configuration is correct and that the ' +
      'external key manager is available.',
  },
  /** No TCP connection. */
  XksProxyUnreachable: {
    ...away,
    message:
      'AWS KMS cannot communicate with the external key store proxy. This might be a transient network ' +
      'issue. If you see this error repeatedly, verify that your external key store proxy is active and ' +
      'is connected to the network, and that its endpoint URI is correct in your external keystore.',
  },
  /** No TLS connection: the certificate, its name or the suites. */
  XksProxyTls: {
    ...away,
    connection: 'XKS_PROXY_INVALID_TLS_CONFIGURATION',
    message:
      'AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS ' +
      'configuration, including its certificate.',
  },
  /** No whole answer in 250 ms. */
  XksProxyTimeout: {
    ...away,
    connection: 'XKS_PROXY_TIMED_OUT',
    message:
      'AWS KMS rejected the request because the external key store proxy did not respond in time. Retry ' +
      'the request. If you see this error repeatedly, report it to your external key store proxy ' +
      'administrator.',
  },
  /** An answer that breaks the specification. */
  XksProxyInvalidResponse: { ...odd, message: uninterpretable },
  /** The answer keeps to the specification, but its content fails Trent's own check. */
  XksProxyInvalidCiphertext: {
    ...odd,
    message:
      'The ciphertext that the external key store proxy submitted for decryption, or the encryption ' +
      'context, is corrupted, missing, or otherwise invalid.',
  },
  /** The settings map no VPC endpoint service of this name. */
  XksVpcEndpointServiceNotFound: {
    store: 'XksProxyVpcEndpointServiceNotFoundException',
    createKey: 'CustomKeyStoreInvalidStateException',
    connection: 'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND',
    message:
      'AWS KMS cannot find the VPC endpoint service of the external key store. Verify that the name of ' +
      'the service is correct, and that AWS KMS may use it.',
  },
  /** Every external key manager is UNAVAILABLE. */
  XksProxyUnhealthy: {
    ...away,
    message:
      'The external key store proxy is in an unhealthy state. If you see this message repeatedly, notify ' +
      'your external key store proxy administrator.',
  },
} as const satisfies Readonly<Record<string, Answers>>

export type ProxyFailureKind = keyof typeof answers

/** The proxy's own errors, with the status that each must have. */
export const proxyErrorStatuses: Readonly<Partial<Record<ProxyFailureKind, number>>> = {
  ValidationException: 400,
  InvalidStateException: 400,
  InvalidCiphertextException: 400,
  InvalidKeyUsageException: 400,
  AuthenticationFailedException: 401,
  AccessDeniedException: 403,
  KeyNotFoundException: 404,
  InvalidUriPathException: 404,
  ThrottlingException: 429,
  InternalException: 500,
  UnsupportedOperationException: 501,
  DependencyTimeoutException: 503,
}

/** A call to a proxy failed. `cause` is for the log, and is never shown to a caller. */
export class ProxyFailure extends Error {
  readonly kind: ProxyFailureKind

  constructor(kind: ProxyFailureKind, options?: ErrorOptions) {
    super(answersOf(kind).message, options)
    this.name = kind
    this.kind = kind
  }
}

export function answersOf(kind: ProxyFailureKind): Answers {
  return answers[kind]
}
