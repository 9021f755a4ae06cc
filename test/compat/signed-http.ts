/**
 * Calls that no SDK makes: signed by hand, sent as they are, answered with the bytes that came.
 * @module
 */
import { request, type IncomingHttpHeaders } from 'node:http'
import type { RawRequest } from '../../src/wire/request.ts'
import { signed, type Signing } from '../authenticate/signer.ts'
import { credentials } from '../harness.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A signed call of an operation, as it would be sent: made by hand, so that it can be spoilt. */
export function signedCall(
  port: number,
  operation: string,
  signing: Signing = {},
): Promise<RawRequest> {
  return signed({
    at: Date.now(),
    accessKeyId: credentials.accessKeyId,
    secret: credentials.secretAccessKey,
    body: '{}',
    ...signing,
    headers: {
      host: `127.0.0.1:${port}`,
      'X-Amz-Target': `TrentService.${operation}`,
      ...signing.headers,
    },
  })
}

/** Sends just this: headers in this order and number, none added but the length of the body. */
export function send(
  where:
    | { readonly port: number; readonly localAddress?: string }
    | { readonly socketPath: string },
  {
    method,
    target,
    rawHeaders,
    body,
  }: Pick<RawRequest, 'method' | 'target' | 'rawHeaders' | 'body'>,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({
      ...('port' in where ? { host: '127.0.0.1', ...where } : where),
      agent: false,
      method,
      path: target,
      headers: [...rawHeaders, 'Content-Length', String(body.length)],
    })
    call.on('error', reject)
    call.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    call.end(body)
  })
}

/** Signs and sends in one. */
export async function callByHand(
  port: number,
  operation: string,
  signing: Signing = {},
): Promise<HttpAnswer> {
  return send({ port }, await signedCall(port, operation, signing))
}
