/** A listener with TLS and its clients, for tests of the listener. @module */
import { execFile } from 'node:child_process'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Handler } from '../../src/wire/exchange.ts'
import type { TlsFiles } from '../../src/wire/tls.ts'
import { certified, type Certified } from './certificate.ts'
import { post } from './raw-client.ts'
import { running, type RunningListener } from './running-listener.ts'

/** Two pairs of different authorities. */
export const [own, other] = await Promise.all([certified('localhost'), certified('localhost')])

/** As the listener takes them. */
export const filesOf = ({ cert, key }: Certified): TlsFiles => ({ cert, key: Buffer.from(key) })

export function listening(
  t: TestContext,
  limits: Parameters<typeof running>[1] = {},
  handler?: Handler,
  clientCa?: string,
): Promise<RunningListener> {
  const tls = { ...filesOf(own), ...(clientCa !== undefined && { clientCa }) }
  return running(t, limits, handler, { host: '127.0.0.1', port: 0, tls })
}

/** Connects, and resolves when the handshake is complete. */
export function secured(
  { port }: { readonly port: number },
  options: ConnectionOptions & { readonly localAddress?: string } = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = { port, host: '127.0.0.1', servername: 'localhost', ca: own.authority }
    const socket = connect({ ...server, ...options })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed in the handshake')))
  })
}

/** Everything that comes back, until `pattern` or the end. */
export function until(socket: TLSSocket | Socket, pattern: RegExp): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (pattern.test(text)) resolve(text)
    })
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(text))
  })
}

/** Sends a request and resolves with its answer. */
export async function asked(socket: TLSSocket, body: string, headers = ''): Promise<string> {
  const answered = until(socket, /ok \d+$/)
  socket.write(post(body, headers))
  return answered
}

/** Runs `openssl s_client`, which ends with its input. Resolves with all that it says. */
export function sClient(
  { port }: { readonly port: number },
  options: readonly string[],
  input = '',
): Promise<string> {
  return new Promise((resolve) => {
    const parameters = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost']
    // A file of the system may turn off what a test is to show.
    const env = { ...process.env, OPENSSL_CONF: '/dev/null' }
    const child = execFile(
      'openssl',
      [...parameters, ...options],
      { env },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    )
    // A refused client has ended before it reads.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}
