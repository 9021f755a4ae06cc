/**
 * Two Trents: one keeps KMS keys, the other is its external key manager. Between them is a wire that a test
 * can break. It ends the TLS of the one and begins that of the other, so it sees what a hostile proxy sees.
 * @module
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { KMSClient } from '@aws-sdk/client-kms'
import { proxyTimeoutMs } from '../../src/keystores/external/proxy-client.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { proxyHost } from '../keystores/external/fake-proxy.ts'
import { certified } from '../wire/certificate.ts'
import { startServedProxy, type ServedProxyWorld } from './served-proxy.ts'

export interface WireAnswer {
  readonly status: number
  readonly body: string
}

export type WireWork = (
  path: string,
  forward: () => Promise<WireAnswer>,
) => Promise<WireAnswer | 'hang' | 'reset' | 'cut'>

export interface Wire {
  readonly port: number
  /** PEM. */
  readonly authority: string
  /** What happens to a request. `hang` ends the time of all calls, `cut` sends half of the answer. */
  work: WireWork
  /** Bodies of requests and answers. */
  readonly seen: { readonly path: string; readonly request: string; readonly answer: string }[]
}

/**
 * A call to a proxy is late when the returned function is called, not when the machine is slow: both servers
 * share this process with the test.
 */
function timeLimit(t: TestContext): () => void {
  let limit = new AbortController()
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  t.mock.method(AbortSignal, 'timeout', (ms: number) =>
    ms === proxyTimeoutMs ? limit.signal : timeout(ms),
  )
  return () => {
    limit.abort(new DOMException('late', 'TimeoutError'))
    limit = new AbortController()
  }
}

async function startWire(t: TestContext, to: ServedProxyWorld, name: string): Promise<Wire> {
  const { cert, key, authority } = await certified(name)
  const isLate = timeLimit(t)
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = []
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
    const body = Buffer.concat(pieces)
    const path = request.url ?? ''
    let forwarded: WireAnswer | undefined
    const answer = await wire.work(path, async () => {
      forwarded = await forward(to, request, body)
      return forwarded
    })
    wire.seen.push({ path, request: body.toString(), answer: forwarded?.body ?? '' })
    if (answer === 'hang') return isLate()
    if (answer === 'reset') return void request.socket.destroy()
    const whole = answer === 'cut' ? (forwarded?.body ?? '') : answer.body
    const status = answer === 'cut' ? 200 : answer.status
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(whole),
    })
    if (answer !== 'cut') return void response.end(whole)
    response.write(whole.slice(0, whole.length / 2), () => request.socket.destroy())
  }
  const server = createServer({ key, cert }, (request, response) => {
    handle(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const wire: Wire = { port, authority, work: (_path, ask) => ask(), seen: [] }
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  return wire
}

function forward(
  { port, authority }: ServedProxyWorld,
  { url, headers }: IncomingMessage,
  body: Buffer,
): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>()
  const to = { host: '127.0.0.1', port, servername: proxyHost, ca: authority, method: 'POST' }
  const request = httpsRequest({ ...to, path: url ?? '', headers, agent: false }, (response) => {
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    response.on('error', reject)
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString() }),
    )
  })
  request.on('error', reject)
  request.end(body)
  return promise
}

export interface TwoTrents {
  /** Has the KMS keys. */
  readonly server: TestServer
  readonly kms: KMSClient
  /** Has the external keys. */
  readonly outside: ServedProxyWorld
  readonly wire: Wire
}

/** @param of the name in the wire's certificate, and whether the server with the KMS keys trusts it */
export async function startTwoTrents(
  t: TestContext,
  of: { readonly name?: string; readonly trusts?: boolean } = {},
): Promise<TwoTrents> {
  const outside = await startServedProxy(t)
  const wire = await startWire(t, outside, of.name ?? proxyHost)
  const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
  const authority = join(directory, 'wire.pem')
  await writeFile(authority, wire.authority)
  const settings = {
    TRENT_XKS_ENDPOINTS: `${proxyHost}=127.0.0.1:${wire.port}`,
    TRENT_TEST_API: 'on',
    ...(of.trusts !== false && { TRENT_XKS_CA: authority }),
  }
  const server = await startTestServer(settings, { directory })
  t.after(() => server.stop())
  return { server, kms: server.client(), outside, wire }
}
