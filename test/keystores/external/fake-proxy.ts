/**
 * A proxy of an external key manager for tests: the XKS proxy API over TLS, with keys in memory. It checks
 * each signature with the AWS SDK's own code, notes what it sees, and fails as a test asks.
 * @module
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecureContextOptions } from 'node:tls'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../../authenticate/signer.ts'
import { certified } from '../../wire/certificate.ts'

export const proxyHost = 'xks.example.com'
export const proxyPath = '/test/kms/xks/v1'
export const proxyCredential = {
  AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
  RawSecretAccessKey: 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG',
} as const

interface Answer {
  readonly status?: number
  readonly body: unknown
}

/** One request as the proxy saw it. */
export interface Seen {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface FakeProxy {
  readonly port: number
  /** PEM. */
  readonly authority: string
  /** Settings of a server that reaches it, with the authorities in a file of `directory`. */
  settings(directory: string, of?: Reached): Record<string, string>
  readonly seen: Seen[]
  readonly keys: Map<string, ProxyKey>
  /** Decides about each request before the proxy does; the answer may be changed as well. */
  answers: (
    path: string,
    answer: () => Answer,
  ) => Answer | 'hang' | 'reset' | 'switch' | Promise<Answer>
  /** Changes its certificate, suites or versions of TLS, and ends all connections. */
  offer(tls: SecureContextOptions): void
  /** Connections that were accepted. */
  connections: number
  stop(): Promise<void>
}

/** How a server reaches the proxy. */
export interface Reached {
  /** Hosts, and names of VPC endpoint services. */
  readonly by?: readonly string[]
  /** PEM, each: authorities that the server trusts besides the proxy's. */
  readonly authorities?: readonly string[]
}

export interface ProxyKey {
  readonly key: Buffer
  readonly ivBytes: 12 | 16
  readonly metadata: Buffer | undefined
  keySpec: string
  keyUsage: string[]
  keyStatus: string
}

export function newProxyKey(of: Partial<ProxyKey> = {}): ProxyKey {
  return {
    key: randomBytes(32),
    ivBytes: 12,
    metadata: undefined,
    keySpec: 'AES_256',
    keyUsage: ['ENCRYPT', 'DECRYPT'],
    keyStatus: 'ENABLED',
    ...of,
  }
}

export async function startFakeProxy(name: string = proxyHost): Promise<FakeProxy> {
  const { key, cert, authority } = await certified(name)
  const keys = new Map<string, ProxyKey>([['key-1', newProxyKey()]])
  const seen: Seen[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = []
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    const text = Buffer.concat(pieces)
    const path = (request.url ?? '').replace(`${proxyPath}/`, '')
    const answer = async (): Promise<Answer> => {
      if (request.method !== 'POST') return { status: 405, body: {} }
      if (!request.url?.startsWith(`${proxyPath}/`)) return failure(404, 'InvalidUriPathException')
      if (!(await isSigned(request, text))) return failure(401, 'AuthenticationFailedException')
      const body = JSON.parse(text.toString()) as Seen['body']
      seen.push({ path, body })
      return answerOf(path, body, keys)
    }
    const own = await answer()
    const given = await proxy.answers(path, () => own)
    if (given === 'hang') return
    if (given === 'reset') return void request.socket.destroy()
    if (given === 'switch') {
      return void request.socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n',
      )
    }
    response.writeHead(given.status ?? 200, { 'Content-Type': 'application/json' })
    response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body))
  }
  const server: Server = createServer({ key, cert }, (request, response) => {
    void handle(request, response)
  })
  server.on('secureConnection', () => {
    proxy.connections += 1
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const proxy: FakeProxy = {
    port,
    authority,
    settings(directory, { by = [proxyHost], authorities = [] } = {}) {
      const file = join(directory, 'proxy-authority.pem')
      writeFileSync(file, [authority, ...authorities].join('\n'))
      const endpoints = by.map((each) => `${each}=127.0.0.1:${port}`)
      return { TRENT_XKS_ENDPOINTS: endpoints.join(','), TRENT_XKS_CA: file }
    },
    offer(tls) {
      server.setSecureContext({ key, cert, ...tls })
      server.closeAllConnections()
    },
    seen,
    keys,
    answers: (_path, answer) => answer(),
    connections: 0,
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return proxy
}

export function failure(status: number, errorName: string): Answer {
  return { status, body: { errorName, errorMessage: 'a sentence of the proxy' } }
}

function answerOf(path: string, body: Seen['body'], keys: Map<string, ProxyKey>): Answer {
  if (path === 'health') {
    return {
      body: {
        xksProxyFleetSize: 2,
        xksProxyVendor: 'Test',
        xksProxyModel: 'Fake 1',
        ekmVendor: 'Test',
        ekmFleetDetails: [{ id: 'hsm-1', model: 'Fake', healthStatus: 'ACTIVE' }],
      },
    }
  }
  const [, id = '', operation] = /^keys\/([^/]+)\/(\w+)$/.exec(path) ?? []
  const key = keys.get(id)
  if (key === undefined) return failure(404, 'KeyNotFoundException')
  const { keySpec, keyUsage, keyStatus } = key
  if (operation === 'metadata') return { body: { keySpec, keyUsage, keyStatus } }
  if (keyStatus !== 'ENABLED') return failure(400, 'InvalidStateException')
  const bytes = (name: string): Buffer => {
    const { [name]: value } = body
    return Buffer.from(typeof value === 'string' ? value : '', 'base64')
  }
  const aad = bytes('additionalAuthenticatedData')
  return operation === 'encrypt'
    ? { body: encrypted(key, aad, bytes('plaintext')) }
    : decrypted(key, aad, bytes)
}

/** Both are authenticated, each with its length. */
function wholeAad(aad: Buffer, metadata: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(aad.length)
  return Buffer.concat([length, aad, Buffer.of(metadata.length), metadata])
}

function encrypted(key: ProxyKey, aad: Buffer, plaintext: Buffer): Seen['body'] {
  const iv = randomBytes(key.ivBytes)
  const metadata = key.metadata ?? Buffer.alloc(0)
  const cipher = createCipheriv('aes-256-gcm', key.key, iv).setAAD(wholeAad(aad, metadata))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  const tag = cipher.getAuthTag()
  const whole = Buffer.concat([aad, metadata, iv, ciphertext, tag])
  return {
    ciphertext: ciphertext.toString('base64'),
    initializationVector: iv.toString('base64'),
    authenticationTag: tag.toString('base64'),
    ...(key.metadata && { ciphertextMetadata: metadata.toString('base64') }),
    ciphertextDataIntegrityValue: createHash('sha256').update(whole).digest('base64'),
  }
}

function decrypted(key: ProxyKey, aad: Buffer, bytes: (name: string) => Buffer): Answer {
  const iv = bytes('initializationVector')
  const decipher = createDecipheriv('aes-256-gcm', key.key, iv)
    .setAAD(wholeAad(aad, bytes('ciphertextMetadata')))
    .setAuthTag(bytes('authenticationTag'))
  try {
    const plaintext = Buffer.concat([decipher.update(bytes('ciphertext')), decipher.final()])
    return { body: { plaintext: plaintext.toString('base64') } }
  } catch {
    return failure(400, 'InvalidCiphertextException')
  }
}

/** Signs the request again with the SDK's code, and compares. */
async function isSigned(request: IncomingMessage, body: Buffer): Promise<boolean> {
  const given = request.headers.authorization ?? ''
  const [, region = ''] =
    /Credential=[A-Z2-7]+\/\d{8}\/([a-z0-9-]+)\/kms-xks-proxy\//.exec(given) ?? []
  const { 'x-amz-date': date = '', host = '', 'content-type': type = '' } = request.headers
  const time = String(date).replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
    '$1-$2-$3T$4:$5:$6Z',
  )
  const { AccessKeyId: accessKeyId, RawSecretAccessKey: secretAccessKey } = proxyCredential
  const signer = new SignatureV4({
    service: 'kms-xks-proxy',
    region,
    credentials: { accessKeyId, secretAccessKey },
    sha256: Sha256,
    applyChecksum: false,
  })
  const again = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: request.url ?? '',
      query: {},
      headers: { host, 'content-type': type },
      body,
    },
    { signingDate: new Date(time) },
  )
  return again.headers['authorization'] === given
}
