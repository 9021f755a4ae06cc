/**
 * Signs requests with the signer of the AWS SDK for JavaScript, which shares no code with ours.
 * @module
 */
import { createHash, createHmac, createSecretKey, type Hash, type Hmac } from 'node:crypto'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import type { RawRequest } from '../../src/wire/request.ts'
import type { Credential } from '../../src/authenticate/credential.ts'

type Bytes = string | ArrayBuffer | ArrayBufferView

export class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: Bytes) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(chunk: Bytes): void {
    this.#hash.update(bytesOf(chunk))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }

  reset(): never {
    throw new Error('the signer resets no hash')
  }
}

function bytesOf(value: Bytes): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof ArrayBuffer) return Buffer.from(value)
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

export const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
/** 2026-11-20T08:15:30Z, in milliseconds. */
export const signedAt = Date.UTC(2026, 10, 20, 8, 15, 30)

export const credential: Credential = {
  accessKeyId: 'AKIDEXAMPLE',
  accountId: '111122223333',
  principalKind: 'root',
  principalId: '111122223333',
  status: 'Active',
  signingSecret: createSecretKey(Buffer.from(`AWS4${secretAccessKey}`)),
}

/** What to sign, where it is not an Encrypt in us-west-2. */
export interface Signing {
  readonly form?: 'header' | 'presigned'
  readonly method?: string
  readonly path?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly region?: string
  readonly service?: string
  readonly accessKeyId?: string
  readonly secret?: string
  readonly sessionToken?: string
  /** Milliseconds since the epoch. */
  readonly at?: number
  readonly expiresIn?: number
}

/** The request as it would come from the socket. */
export async function signed(signing: Signing = {}): Promise<RawRequest> {
  const { sessionToken, body = '{"KeyId":"alias/a","Plaintext":"AA=="}' } = signing
  const signer = new SignatureV4({
    service: signing.service ?? 'kms',
    region: signing.region ?? 'us-west-2',
    sha256: Sha256,
    applyChecksum: false,
    // S3 alone signs paths as they are.
    uriEscapePath: signing.service !== 's3',
    credentials: {
      accessKeyId: signing.accessKeyId ?? credential.accessKeyId,
      secretAccessKey: signing.secret ?? secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
    },
  })
  const request = new HttpRequest({
    method: signing.method ?? 'POST',
    protocol: 'http:',
    hostname: '127.0.0.1',
    port: 4599,
    path: signing.path ?? '/',
    query: { ...signing.query },
    headers: {
      host: '127.0.0.1:4599',
      'content-type': 'application/x-amz-json-1.1',
      'X-Amz-Target': 'TrentService.Encrypt',
      ...signing.headers,
    },
    body,
  })
  const signingDate = new Date(signing.at ?? signedAt)
  const { headers, query, path } =
    signing.form === 'presigned'
      ? await signer.presign(request, {
          signingDate,
          expiresIn: signing.expiresIn ?? 600,
          unhoistableHeaders: new Set(['x-amz-target', 'x-amz-content-sha256']),
        })
      : await signer.sign(request, { signingDate })
  return rawRequest({
    method: signing.method ?? 'POST',
    target: targetOf(path, query),
    rawHeaders: Object.entries(headers).flat(),
    body: Buffer.from(body),
  })
}

function targetOf(path: string, query: HttpRequest['query'] | undefined): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) => {
    if (typeof value !== 'string') throw new Error('one value a parameter')
    return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
  })
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}

type Parts = Pick<RawRequest, 'method' | 'target' | 'rawHeaders' | 'body'>

export function rawRequest(parts: Parts): RawRequest {
  return {
    listener: 'public',
    remoteAddress: '127.0.0.1',
    secure: false,
    signal: new AbortController().signal,
    ...parts,
  }
}

/** The request with one header set, added where it was not; undefined takes it out. */
export function withHeader(
  request: RawRequest,
  name: string,
  value: string | undefined,
): RawRequest {
  const rest: string[] = []
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const other = rawHeaders[index] ?? ''
    if (other.toLowerCase() !== name.toLowerCase()) rest.push(other, rawHeaders[index + 1] ?? '')
  }
  return { ...request, rawHeaders: value === undefined ? rest : [...rest, name, value] }
}

/** The request with one more header, though there be one of that name. */
export function withSecondHeader(request: RawRequest, name: string, value: string): RawRequest {
  return { ...request, rawHeaders: [...request.rawHeaders, name, value] }
}

export function headerOf(request: RawRequest, name: string): string {
  const { rawHeaders } = request
  const index = rawHeaders.findIndex(
    (text, place) => place % 2 === 0 && text.toLowerCase() === name,
  )
  return rawHeaders[index + 1] ?? ''
}
