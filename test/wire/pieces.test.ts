import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { parseInPieces } from '../../src/wire/pieces.ts'
import { rawClient } from './raw-client.ts'

const bounded = { timeout: 30_000 }

async function listening(
  t: TestContext,
  onRequest: (request: IncomingMessage, count: number) => void,
): Promise<{ readonly port: number; readonly count: () => number }> {
  let count = 0
  const over = new WeakSet<Socket>()
  const server = createServer((request, response) => {
    count += 1
    onRequest(request, count)
    if (request.socket.destroyed) over.add(request.socket)
    request.on('end', () => response.end('ok')).resume()
  })
  const parsed = (): void => {}
  server.on('connection', (socket) => {
    parseInPieces(socket, { isOver: () => over.has(socket), parsed })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, count: () => count } // a port, not a path
}

test('of a connection that is over, no more than a piece is parsed', bounded, async (t) => {
  const { port, count } = await listening(t, (request, number) => {
    if (number === 10) request.socket.destroy()
  })
  const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const client = rawClient({ port })
  client.write(request.repeat(2000))
  await client.closed
  assert.ok(count() >= 10)
  assert.ok(count() <= 10 + 4096 / request.length, `${count()} requests were parsed`)
})

test('requests and bodies that lie across pieces come whole', bounded, async (t) => {
  const body = randomBytes(300_000).toString('base64')
  const received: string[] = []
  const { port } = await listening(t, (request) => {
    const hash = createHash('sha256')
    request.on('data', (part: Buffer) => hash.update(part))
    request.on('end', () => received.push(hash.digest('hex')))
  })
  const client = rawClient({ port })
  const head = `POST / HTTP/1.1\r\nHost: a\r\nX-Fill: ${'x'.repeat(5000)}\r\n`
  client.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`.repeat(2))
  await client.until(/ok[^]*ok$/)
  client.socket.destroy()
  const sent = createHash('sha256').update(body).digest('hex')
  assert.deepEqual(received, [sent, sent])
})
