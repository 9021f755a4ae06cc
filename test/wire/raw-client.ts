/** A client that writes bytes as they are, for what no HTTP client would send. @module */
import { connect, type Socket } from 'node:net'

export interface RawClient {
  readonly socket: Socket
  readonly write: (text: string | Uint8Array) => void
  /** All that came so far, latin1. */
  readonly received: () => string
  /** Resolves with all that came once `pattern` is in it; rejects when the connection closes before. */
  readonly until: (pattern: RegExp) => Promise<string>
  /** Resolves with all that came once the connection is closed, by a reset as well. */
  readonly closed: Promise<string>
}

export function rawClient(
  where: { port: number; localAddress?: string } | { path: string },
): RawClient {
  const socket = connect('port' in where ? { host: '127.0.0.1', ...where } : where)
  let text = ''
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  const until = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(text)) resolve(text)
      }
      socket.on('data', look)
      socket.once('close', () => reject(new Error(`closed before ${pattern}: ${text}`)))
      look()
    })
  return {
    socket,
    write: (bytes) => {
      socket.write(bytes)
    },
    received: () => text,
    until,
    closed,
  }
}

/** A POST to `/` with its headers, `Host` and `Content-Length` given unless `headers` has them. */
export function post(body: string, headers = '', path = '/'): string {
  const length = /^(content-length|transfer-encoding):/im.test(headers)
    ? ''
    : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${length}${headers}\r\n${body}`
}
