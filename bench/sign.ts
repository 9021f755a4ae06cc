/**
 * Signature Version 4 for the load generator: whole requests as bytes, each with a different body.
 * @module
 */
import { createHash, createHmac } from 'node:crypto'

export interface Signer {
  readonly host: string
  readonly accessKeyId: string
  readonly region: string
  readonly date: string
  readonly signingKey: Buffer
}

export function createSigner(host: string, region: string, id: string, secret: string): Signer {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = date.slice(0, 8)
  let key = hmac(`AWS4${secret}`, day)
  for (const part of [region, 'kms', 'aws4_request']) key = hmac(key, part)
  return { host, accessKeyId: id, region, date, signingKey: key }
}

/** The headers of a request, for a client that adds `Host` itself. */
export function signedHeaders(
  signer: Signer,
  operation: string,
  body: string,
): Readonly<Record<string, string>> {
  const { host, date, region, accessKeyId } = signer
  const target = `TrentService.${operation}`
  const type = 'application/x-amz-json-1.1'
  const names = 'content-type;host;x-amz-date;x-amz-target'
  const canonical =
    `POST\n/\n\ncontent-type:${type}\nhost:${host}\nx-amz-date:${date}\nx-amz-target:${target}\n\n` +
    `${names}\n${sha256(body)}`
  const scope = `${date.slice(0, 8)}/${region}/kms/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`
  const signature = hmac(signer.signingKey, toSign).toString('hex')
  return {
    'Content-Type': type,
    'X-Amz-Date': date,
    'X-Amz-Target': target,
    Authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  }
}

/** One HTTP/1.1 request, ready for the socket. */
export function signedRequest(signer: Signer, operation: string, input: object): Buffer {
  const body = JSON.stringify(input)
  const headers = Object.entries(signedHeaders(signer, operation, body))
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: ${signer.host}\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`,
  )
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
