/** How proxies fail, and what AWS KMS answers in each place. @module */
import { failure, type FakeProxy } from '../keystores/external/fake-proxy.ts'

export type Answers = FakeProxy['answers']

const odd: Answers = () => ({ body: 'no JSON' })
export const answering =
  (status: number, name: string): Answers =>
  () =>
    failure(status, name)

/** Names as in the specification's table, and how the proxy comes to it. */
export const failureKinds: readonly (readonly [
  name: string,
  answers: Answers,
  store: string,
  createKey: string,
  connection: string,
])[] = [
  [
    'Proxy returns a ValidationException',
    answering(400, 'ValidationException'),
    'XksProxyInvalidResponseException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns an InvalidStateException',
    answering(400, 'InvalidStateException'),
    'XksProxyInvalidResponseException',
    'XksKeyInvalidConfigurationException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns an InvalidKeyUsageException',
    answering(400, 'InvalidKeyUsageException'),
    'XksProxyInvalidResponseException',
    'XksKeyInvalidConfigurationException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns an AuthenticationFailedException',
    answering(401, 'AuthenticationFailedException'),
    'XksProxyIncorrectAuthenticationCredentialException',
    'CustomKeyStoreInvalidStateException',
    'INVALID_CREDENTIALS',
  ],
  [
    'Proxy returns an AccessDeniedException',
    answering(403, 'AccessDeniedException'),
    'XksProxyInvalidResponseException',
    'KMSInvalidStateException',
    'XKS_PROXY_ACCESS_DENIED',
  ],
  [
    'Proxy returns a KeyNotFoundException',
    answering(404, 'KeyNotFoundException'),
    'XksProxyInvalidResponseException',
    'XksKeyNotFoundException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns an InvalidUriPathException',
    answering(404, 'InvalidUriPathException'),
    'XksProxyInvalidConfigurationException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_CONFIGURATION',
  ],
  [
    'Proxy returns an UnsupportedOperationException',
    answering(501, 'UnsupportedOperationException'),
    'XksProxyInvalidResponseException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns a DependencyTimeoutException',
    answering(503, 'DependencyTimeoutException'),
    'XksProxyUriUnreachableException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_NOT_REACHABLE',
  ],
  [
    'Proxy returns a ThrottlingException',
    answering(429, 'ThrottlingException'),
    'XksProxyUriUnreachableException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_NOT_REACHABLE',
  ],
  [
    'Proxy returns an InternalException',
    answering(500, 'InternalException'),
    'XksProxyInvalidResponseException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'AWS KMS cannot establish a TCP connection',
    () => 'reset',
    'XksProxyUriUnreachableException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_NOT_REACHABLE',
  ],
  [
    'AWS KMS encounters a socket timeout',
    () => 'hang',
    'XksProxyUriUnreachableException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_TIMED_OUT',
  ],
  [
    'Proxy returns a malformed response',
    () => 'switch',
    'XksProxyInvalidResponseException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
  [
    'Proxy returns a malformed response',
    odd,
    'XksProxyInvalidResponseException',
    'CustomKeyStoreInvalidStateException',
    'XKS_PROXY_INVALID_RESPONSE',
  ],
]
