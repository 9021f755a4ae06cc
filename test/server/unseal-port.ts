/** A server with a port for unsealing, for tests. @module */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { callOperator, callUnsealPort, operatorHeaders } from '../../src/operator/client.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { certified, type Certified } from '../wire/certificate.ts'

export const main = join(import.meta.dirname, '../../src/main.ts')
export const own = await certified('localhost')
export const alice = await certified('alice', {}, undefined, 'CN=alice, O=example')

export interface Port {
  readonly server: TestServer
  readonly folder: string
  readonly port: number
  readonly ask: (operation: string, input?: object, as?: Certified) => Promise<unknown>
  /** Runs `trent unseal` at another terminal. */
  readonly unseal: (share: string, ...options: readonly string[]) => Promise<string>
}

export async function openPort(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<Port> {
  const folder = mkdtempSync(join(tmpdir(), 'trent-unseal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const ca = write('ca.pem', own.authority)
  write('alice.pem', alice.cert)
  write('alice.key', alice.key)
  write('clients.pem', alice.authority)
  const server = await startTestServer({
    TRENT_SEAL: 'shamir',
    TRENT_UNSEAL_LISTEN: '127.0.0.1:0',
    TRENT_UNSEAL_TLS_CERT: write('own.pem', own.cert),
    TRENT_UNSEAL_TLS_KEY: write('own.key', own.key),
    ...Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, value.replace('FOLDER', folder)]),
    ),
  })
  t.after(() => server.stop())
  const { unsealPort: port = 0 } = server.server
  const url = new URL(`https://localhost:${port}`)
  return {
    server,
    folder,
    port,
    ask: (operation, input, as) =>
      callUnsealPort(
        { url, ca: own.authority, ...(as && { cert: as.cert, key: as.key }) },
        operation,
        input,
      ),
    async unseal(share, ...options) {
      const args = [main, 'unseal', '--url', url.href, '--cacert', ca, '--from', '-', ...options]
      const env = { PATH: process.env['PATH'], HOME: folder }
      const child = promisify(execFile)(process.execPath, args, { cwd: folder, env })
      child.child.stdin?.end(`${share}\n`)
      return (await child).stdout
    },
  }
}

export async function initialized(server: TestServer): Promise<readonly [string, string, string]> {
  const made = await callOperator(server.directory, 'Initialize', { shares: 3, threshold: 2 })
  return (made as { readonly shares: readonly [string, string, string] }).shares
}

export function headOf(operation: string, length: number | string): string {
  const fields = Object.entries(operatorHeaders(operation)).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return ['POST / HTTP/1.1', 'Host: x', ...fields, `Content-Length: ${length}`, '', ''].join('\r\n')
}

export function secured(port: number, options: ConnectionOptions = {}): TLSSocket {
  return connect({
    host: '127.0.0.1',
    servername: 'localhost',
    port,
    ca: own.authority,
    ...options,
  })
}

/** Everything that the server sends until it closes the connection. */
export function exchange(
  port: number,
  text: string,
  options: ConnectionOptions = {},
): Promise<string> {
  return new Promise((resolve) => {
    const socket = secured(port, options)
    let answer = ''
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part))
    socket.on('error', (error) => (answer += `error: ${error.message}`))
    socket.on('close', () => resolve(answer))
    socket.write(text)
  })
}
