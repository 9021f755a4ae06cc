/**
 * One call to an external key store proxy: a signed POST over TLS, answered in 250 ms. There is no second
 * try, except once on a fresh connection when a kept-alive one was closed before any answer.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { request as httpsRequest, type Agent, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { createSecureContext, rootCertificates, TLSSocket, type SecureContext } from 'node:tls'
import type { KeyObject } from 'node:crypto'
import type { CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import { MalformedJson, parseJsonObject, type JsonObject } from '../../model/json.ts'
import { isPublicAddress, lookupPublic } from '../../model/public-address.ts'
import { ProxyAgent } from './proxy-agent.ts'
import { ProxyFailure, proxyErrorStatuses, type ProxyFailureKind } from './proxy-failure.ts'
import { signRequest } from './sign-request.ts'

/** How a proxy is reached and proves who asks. */
export interface ProxyAddress {
  /** `https://` and a host. */
  readonly endpoint: string
  /** Ends with `/kms/xks/v1`. */
  readonly path: string
  /** Present if the proxy is reached through a VPC endpoint service. */
  readonly vpcServiceName?: string
  readonly region: string
  readonly accessKeyId: string
  /** The key store; absent while it is being created. */
  readonly store?: CustomKeyStoreRef
  /** The HMAC key `"AWS4" ‖ secret access key`. */
  readonly signingSecret: KeyObject
}

/** Where the operator says that a host is. */
export interface MappedEndpoint {
  /** An IP address or a name. */
  readonly host: string
  readonly port: number
}

export interface ProxyClientSettings {
  /**
   * By the host of an endpoint, or the name of a VPC endpoint service. Other hosts must have public
   * addresses, and are asked at port 443. There are no other services.
   */
  readonly endpoints: ReadonlyMap<string, MappedEndpoint>
  /** Authorities to trust in addition to the public ones, PEM each. */
  readonly authorities: readonly string[]
  /** Proves Trent to proxies that ask for a certificate; PEM. */
  readonly client?: {
    readonly certificate: string
    /** Bytes, because heap snapshots hold texts. */
    readonly key: Uint8Array
  }
}

/** The certificate of a proxy. */
export interface SeenCertificate {
  /** The common name of its subject, or the host if it has none. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly validTo: number
}

export interface ProxyClient {
  /**
   * Sends `body` to `<path of the proxy>/<path>`.
   * @param path `health`, or `keys/<id>/…`
   * @throws {ProxyFailure}
   */
  call(
    proxy: ProxyAddress,
    path: string,
    body: JsonObject,
    signal: AbortSignal,
  ): Promise<JsonObject>
  /** Checks that it is known where the proxy is, without a word to it. @throws {ProxyFailure} */
  requireAddress(proxy: ProxyAddress): void
  close(): void
}

/** In milliseconds: name, connection, handshake, request and answer together. */
export const proxyTimeoutMs = 250

/** Bytes of an answer: the base64 of the largest ciphertext, and the details of ten key managers. */
const answerBytesMax = 64 * 1024
const answerLimits = { depthMax: 4, containersMax: 16, valuesMax: 128 }

const suites = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':')

/** @param onCertificate gets the certificate of each answer about health */
export function createProxyClient(
  settings: ProxyClientSettings,
  now: () => number,
  onCertificate: (proxy: ProxyAddress, certificate: SeenCertificate) => void = () => undefined,
): ProxyClient {
  const agent = new ProxyAgent()
  const send = createSend(settings, now, onCertificate)
  return {
    async call(proxy, path, given, signal) {
      const body = Buffer.from(JSON.stringify(given))
      const whole = `${proxy.path}/${path}`
      const inTime = AbortSignal.timeout(proxyTimeoutMs)
      const both = AbortSignal.any([signal, inTime])
      try {
        let answer = await send(proxy, whole, body, both, { agent })
        if (answer === 'closed') answer = await send(proxy, whole, body, both, { agent: false })
        if (answer === 'closed') throw new ProxyFailure('XksProxyUnreachable')
        return contentOf(answer)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof ProxyFailure) throw error
        if (inTime.aborted) throw new ProxyFailure('XksProxyTimeout', { cause: error })
        throw new ProxyFailure(kindOf(error), { cause: error })
      }
    },
    requireAddress: (proxy) => void targetOf(proxy, settings.endpoints),
    close: () => agent.destroy(),
  }
}

type Send = (
  proxy: ProxyAddress,
  path: string,
  body: Buffer,
  signal: AbortSignal,
  connection: { readonly agent: Agent | false },
) => Promise<Answer | 'closed'>

function createSend(
  ...[settings, now, onCertificate]: Required<Parameters<typeof createProxyClient>>
): Send {
  // One for all connections: the agent would otherwise compare every authority for each request.
  const secured = { secureContext: secureContextOf(settings) }
  return (proxy, path, body, signal, connection) => {
    const host = hostOf(proxy)
    const signed = signRequest({ ...proxy, host, path, body, now: now() })
    const { promise, resolve, reject } = Promise.withResolvers<Answer | 'closed'>()
    let isAnswered = false
    const request = httpsRequest(
      {
        ...secured,
        ...targetOf(proxy, settings.endpoints),
        ...connection,
        servername: isIP(host) === 0 ? host : '',
        method: 'POST',
        path,
        headers: { ...signed, 'Content-Length': body.length },
        signal,
        maxHeaderSize: 8 * 1024,
      } satisfies RequestOptions,
      (response) => {
        isAnswered = true
        const seen = path.endsWith('/health') ? certificateOf(response, host) : undefined
        if (seen !== undefined) onCertificate(proxy, seen)
        readAnswer(response).then(resolve, reject)
      },
    )
    request.on('error', (error: NodeJS.ErrnoException) => {
      const isClosed = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      if (request.reusedSocket && isClosed && !isAnswered) resolve('closed')
      else reject(error)
    })
    // An answer that only switches protocols ends the request without a word.
    request.on('close', () => {
      if (!isAnswered) reject(new ProxyFailure('XksProxyInvalidResponse'))
    })
    request.end(body)
    return promise
  }
}

function secureContextOf({ authorities, client }: ProxyClientSettings): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ciphers: suites,
    ...(authorities.length > 0 && { ca: [...rootCertificates, ...authorities] }),
    // A worker gets the bytes without their class.
    ...(client && { cert: client.certificate, key: Buffer.from(client.key) }),
  })
}

function certificateOf({ socket }: IncomingMessage, host: string): SeenCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const { subject, valid_to: validTo } = socket.getPeerCertificate()
  const time = Date.parse(validTo)
  if (Number.isNaN(time)) return undefined
  const names: readonly (string | undefined)[] = [subject?.CN].flat()
  return { name: (names[0] ?? host).slice(0, nameMax), validTo: time }
}

/** Characters of a name that a proxy chooses. */
const nameMax = 256

interface Answer {
  readonly status: number
  readonly body: Buffer
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > answerBytesMax) throw new ProxyFailure('XksProxyInvalidResponse')
    pieces.push(piece)
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(pieces) }
}

/** @throws {ProxyFailure} for an error of the proxy, or an answer that is no JSON object */
function contentOf({ status, body }: Answer): JsonObject {
  let content: JsonObject
  try {
    content = parseJsonObject(body, answerLimits)
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new ProxyFailure('XksProxyInvalidResponse', { cause: error })
  }
  if (status === 200) return content
  const name = content['errorName']
  const known = (Object.keys(proxyErrorStatuses) as ProxyFailureKind[]).find(
    (kind) => kind === name && proxyErrorStatuses[kind] === status,
  )
  throw new ProxyFailure(known ?? 'XksProxyInvalidResponse')
}

function hostOf({ endpoint }: ProxyAddress): string {
  return endpoint.slice('https://'.length)
}

/** @throws {ProxyFailure} if the host may not be asked, or there is no such VPC endpoint service */
function targetOf(
  proxy: ProxyAddress,
  endpoints: ProxyClientSettings['endpoints'],
): Pick<RequestOptions, 'host' | 'port' | 'lookup'> {
  const { vpcServiceName } = proxy
  const host = hostOf(proxy)
  const mapped = endpoints.get((vpcServiceName ?? host).toLowerCase())
  if (mapped !== undefined) return { host: mapped.host, port: mapped.port }
  // The host is a name inside of the service: the public one of that name is somebody else.
  if (vpcServiceName !== undefined) throw new ProxyFailure('XksVpcEndpointServiceNotFound')
  // A literal address needs no lookup.
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new ProxyFailure('XksProxyUnreachable')
  return { host, port: 443, lookup: lookupPublic }
}

/** Codes of OpenSSL and Node.js for a handshake or a certificate that fails. */
const tlsCodes = [
  'ERR_SSL_',
  'ERR_TLS_',
  'CERT_',
  'EPROTO',
  'UNABLE_TO_',
  'DEPTH_ZERO_',
  'SELF_SIGNED_',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
] as const

/** Codes of Node.js for an answer that is no HTTP. */
const httpCodes = /^HPE_/

function kindOf(error: unknown): ProxyFailureKind {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (tlsCodes.some((start) => code.startsWith(start))) return 'XksProxyTls'
  return httpCodes.test(code) ? 'XksProxyInvalidResponse' : 'XksProxyUnreachable'
}
