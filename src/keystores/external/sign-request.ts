/**
 * Signs requests to an external key store proxy: AWS Signature Version 4 for the service `kms-xks-proxy`.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @module
 */
import { createHmac, hash, type KeyObject } from 'node:crypto'
import { deriveSigningKey } from '../../crypto/signing-key.ts'

const signingService = 'kms-xks-proxy'

export interface SignedRequest {
  /** The name of the endpoint, as in `Host`. */
  readonly host: string
  /** Only letters, digits and `/ _ - .`, so that it is canonical as it is. */
  readonly path: string
  readonly region: string
  readonly accessKeyId: string
  /** The HMAC key `"AWS4" ‖ secret access key`. */
  readonly signingSecret: KeyObject
  readonly body: Uint8Array
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Returns the header fields that prove the request, `Host` included. */
export function signRequest(request: SignedRequest): Readonly<Record<string, string>> {
  const { host, path, region, accessKeyId, signingSecret, body, now } = request
  const timestamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const date = timestamp.slice(0, 8)
  const payloadHash = hash('sha256', body, 'hex')
  const signedHeaders = 'content-type;host;x-amz-date'
  const fields = `content-type:application/json\nhost:${host}\nx-amz-date:${timestamp}\n`
  const canonical = `POST\n${path}\n\n${fields}\n${signedHeaders}\n${payloadHash}`
  const scope = `${date}/${region}/${signingService}/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical, 'hex')}`
  const key = deriveSigningKey(signingSecret, { date, region, service: signingService })
  const signature = createHmac('sha256', key).update(toSign).digest('hex')
  return {
    Host: host,
    'Content-Type': 'application/json',
    'X-Amz-Date': timestamp,
    Authorization:
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ` +
      `SignedHeaders=${signedHeaders}, Signature=${signature}`,
  }
}
