/** Derives the signing keys of Signature Version 4. @module */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/**
 * The key that signs for one day, Region and service.
 * @param secret the HMAC key `"AWS4" ‖ secret access key`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function deriveSigningKey(
  secret: KeyObject,
  scope: { readonly date: string; readonly region: string; readonly service: string },
): KeyObject {
  let key = secret
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    const bytes = createHmac('sha256', key).update(part, 'latin1').digest()
    key = createSecretKey(bytes)
    bytes.fill(0)
  }
  return key
}
