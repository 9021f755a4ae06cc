/** How proxies fail, and what AWS KMS answers in each place. @module */
import type { SecureContextOptions } from 'node:tls'
import { failure, proxyHost, type FakeProxy } from '../keystores/external/fake-proxy.ts'
import { certified } from '../wire/certificate.ts'

export type Answers = FakeProxy['answers']

const odd: Answers = () => ({ body: 'no JSON' })
export const answering =
  (status: number, name: string): Answers =>
  () =>
    failure(status, name)

type FailureKind = readonly [
  name: string,
  fails: Answers | { readonly tls: SecureContextOptions },
  store: string,
  createKey: string,
  connection: string,
]

/** Names as in the specification's table, and how the proxy comes to it. */
export const failureKinds: readonly FailureKind[] = [
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

/** The ways in which there is no TLS connection, and authorities that a server must trust for them. */
export async function tlsFailures(): Promise<{
  readonly kinds: readonly FailureKind[]
  readonly authorities: readonly string[]
}> {
  const [other, expired, stranger] = await Promise.all([
    certified('other.example.com'),
    certified(proxyHost, { notBefore: new Date(0), notAfter: new Date(86_400_000) }),
    certified(proxyHost),
  ])
  const offers: readonly SecureContextOptions[] = [
    ...[other, expired, stranger].map(({ key, cert }) => ({ key, cert })),
    { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  ]
  return {
    kinds: offers.map<FailureKind>((tls) => [
      'AWS KMS cannot establish a TLS connection',
      { tls },
      'XksProxyUriUnreachableException',
      'CustomKeyStoreInvalidStateException',
      'XKS_PROXY_INVALID_TLS_CONFIGURATION',
    ]),
    authorities: [other.authority, expired.authority],
  }
}
