/** Input members of the operations on custom key stores, with the limits of the model. @module */
import { oneOf, required, structure, text } from '../../model/shape.ts'

export const keyStoreName = text({ min: 1, max: 256 })

/** Members of both CreateCustomKeyStore and UpdateCustomKeyStore. */
export const keyStoreSettings = {
  CloudHsmClusterId: text({ min: 19, max: 24, pattern: 'cluster-[2-7a-zA-Z]{11,16}' }),
  KeyStorePassword: text({ min: 7, max: 32, sensitive: true }),
  XksProxyUriEndpoint: text({ min: 10, max: 128, pattern: '^https://[a-zA-Z0-9.-]+$' }),
  XksProxyUriPath: text({
    min: 10,
    max: 128,
    pattern: '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$',
  }),
  XksProxyVpcEndpointServiceName: text({
    min: 20,
    max: 64,
    pattern: '^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$',
  }),
  XksProxyVpcEndpointServiceOwner: text({ min: 12, max: 12, pattern: '[0-9]{12}' }),
  XksProxyAuthenticationCredential: structure({
    AccessKeyId: required(text({ min: 20, max: 30, pattern: '^[A-Z2-7]+$', sensitive: true })),
    RawSecretAccessKey: required(
      text({ min: 43, max: 64, pattern: '^[a-zA-Z0-9\\/+=]+$', sensitive: true }),
    ),
  }),
  XksProxyConnectivity: oneOf(['PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE']),
} as const
