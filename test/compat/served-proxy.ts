/** A server that serves an XKS proxy, and a client of the proxy API that shares no code with it. @module */
import assert from 'node:assert/strict'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { KMSClient } from '@aws-sdk/client-kms'
import { SignatureV4 } from '@smithy/signature-v4'
import type { FilePort } from '../../src/disk/files.ts'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedXksProxy } from '../../src/operations/trent/create-xks-proxy.ts'
import { Sha256 } from '../authenticate/signer.ts'
import { accountId, region, startTestServer, type TestServer } from '../harness.ts'
import { proxyHost } from '../keystores/external/fake-proxy.ts'
import { certified, type Certified } from '../wire/certificate.ts'

export interface ProxyAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface ServedProxyWorld {
  readonly server: TestServer
  readonly operatorDirectory: string
  readonly kms: KMSClient
  readonly port: number
  /** PEM. */
  readonly authority: string
  /** Calls the operator door. */
  operate(operation: string, input: object): Promise<unknown>
  createProxy(name: string, more?: object): Promise<CreatedXksProxy>
}

/** @param of settings in addition, the directory of an earlier server, and the files of the journal */
export async function startServedProxy(
  t: TestContext,
  of: {
    readonly settings?: Record<string, string>
    readonly directory?: string
    readonly journalFiles?: FilePort
  } = {},
): Promise<ServedProxyWorld> {
  const directory = of.directory ?? (await mkdtemp(join(tmpdir(), 'trent-test-')))
  const { cert, key, authority } = await certified(proxyHost)
  const files = { cert: join(directory, 'xks.pem'), key: join(directory, 'xks-key.pem') }
  await writeFile(files.cert, cert)
  await writeFile(files.key, key, { mode: 0o600 })
  // Not in the data directory, so that every command must look for it.
  const operatorDirectory = join(directory, 'door')
  const settings = {
    TRENT_XKS_PROXY_LISTEN: '127.0.0.1:0',
    TRENT_XKS_PROXY_TLS_CERT: files.cert,
    TRENT_XKS_PROXY_TLS_KEY: files.key,
    TRENT_TEST_API: 'on',
    TRENT_OPERATOR_DIR: operatorDirectory,
    ...of.settings,
  }
  const { journalFiles } = of
  const server = await startTestServer(settings, {
    directory,
    ...(journalFiles && { journalFiles }),
  })
  t.after(() => server.stop())
  const operate = (operation: string, input: object): Promise<unknown> =>
    callOperator(operatorDirectory, operation, input)
  return {
    server,
    operatorDirectory,
    kms: server.client(),
    port: server.server.xksProxyPort ?? 0,
    authority,
    operate,
    createProxy: async (name, more = {}) =>
      (await operate('CreateXksProxy', { name, accountId, region, ...more })) as CreatedXksProxy,
  }
}

/** How a call differs from a right one. */
export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly service?: string
  readonly signedRegion?: string
  /** Milliseconds since the epoch. */
  readonly signedAt?: number
  readonly secret?: string
  readonly accessKeyId?: string
  /** Sent instead of the body that is signed. */
  readonly sent?: string
  readonly path?: string
  readonly unsigned?: true
  /** The certificate of the client, if it has one. */
  readonly client?: Pick<Certified, 'cert' | 'key'>
}

/** Calls `<path of the proxy>/<rest>`, signed by the SDK's code. */
export async function callProxy(
  { port, authority }: Pick<ServedProxyWorld, 'port' | 'authority'>,
  { configuration }: Pick<CreatedXksProxy, 'configuration'>,
  rest: string,
  body: unknown,
  options: CallOptions = {},
): Promise<ProxyAnswer> {
  const { AccessKeyId, RawSecretAccessKey } = configuration.XksProxyAuthenticationCredential
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const path = options.path ?? `${configuration.XksProxyUriPath}/${rest}`
  const method = options.method ?? 'POST'
  const signer = new SignatureV4({
    service: options.service ?? 'kms-xks-proxy',
    region: options.signedRegion ?? 'us-east-1',
    credentials: {
      accessKeyId: options.accessKeyId ?? AccessKeyId,
      secretAccessKey: options.secret ?? RawSecretAccessKey,
    },
    sha256: Sha256,
    applyChecksum: false,
  })
  const headers = { host: proxyHost, 'content-type': 'application/json', ...options.headers }
  const unsigned = { method, protocol: 'https:', hostname: proxyHost, path, query: {}, headers }
  const when = options.signedAt === undefined ? {} : { signingDate: new Date(options.signedAt) }
  const signed = options.unsigned ? unsigned : await signer.sign({ ...unsigned, body: text }, when)
  const sent = { method, path, headers: signed.headers, ...options.client }
  return send({ port, authority }, sent, options.sent ?? text)
}

function send(
  { port, authority }: Pick<ServedProxyWorld, 'port' | 'authority'>,
  of: RequestOptions,
  text: string,
): Promise<ProxyAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ProxyAnswer>()
  const to = {
    host: '127.0.0.1',
    port,
    servername: proxyHost,
    ca: authority,
    agent: false,
  } as const
  const request = httpsRequest({ ...to, ...of }, (response) => {
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    response.on('error', reject)
    response.on('end', () => {
      const answer = Buffer.concat(pieces).toString()
      const content = answer === '' ? {} : (JSON.parse(answer) as ProxyAnswer['body'])
      resolve({ status: response.statusCode ?? 0, body: content })
    })
  })
  request.on('error', reject)
  request.end(text)
  return promise
}

export const useMetadata = {
  awsPrincipalArn: 'arn:aws:iam::123456789012:user/Alice',
  kmsKeyArn: 'arn:aws:kms:us-east-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  kmsOperation: 'Encrypt',
  kmsRequestId: '4112f4d6-db54-4af4-ae30-c55a22a8dfae',
  kmsViaService: 'ebs',
} as const

/** The request of the specification's example, and its answer as a Decrypt. */
export const encryptBody = {
  requestMetadata: useMetadata,
  additionalAuthenticatedData: 'cHJvamVjdD1uaWxlLGRlcGFydG1lbnQ9bWFya2V0aW5n',
  plaintext: 'SGVsbG8gV29ybGQh',
  encryptionAlgorithm: 'AES_GCM',
  ciphertextDataIntegrityValueAlgorithm: 'SHA_256',
} as const

export function decryptBody(
  encrypted: ProxyAnswer['body'],
  more: object = {},
): Readonly<Record<string, unknown>> {
  const { ciphertextDataIntegrityValue: _, ...parts } = encrypted
  const { additionalAuthenticatedData } = encryptBody
  const requestMetadata = { ...useMetadata, kmsOperation: 'Decrypt' }
  const algorithm = { encryptionAlgorithm: 'AES_GCM' }
  return { requestMetadata, additionalAuthenticatedData, ...algorithm, ...parts, ...more }
}

/** The specification makes the message optional, and printable ASCII. */
export function failed({ status, body }: ProxyAnswer): unknown[] {
  const { errorName, errorMessage = '', ...more } = body
  assert.deepEqual(more, {})
  assert.match(String(errorMessage), /^[\x20-\x7e]{0,511}$/)
  return [status, errorName]
}
