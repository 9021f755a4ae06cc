/** Clients that hold what they can and give nothing back: a whole server goes on serving the others. @module */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { CreateKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { rawClient } from '../wire/raw-client.ts'
import { signedCall } from './signed-http.ts'

const server = await startTestServer()
after(() => server.stop())
const kms = server.client()
const { port } = server
/** Another source on this machine: the flood is counted by address. */
const localAddress = '127.0.0.2'

test('a crowd of connections, with half a request or none, keeps nobody else from being served', async () => {
  const clients = Array.from({ length: 1200 }, () => rawClient({ port, localAddress }))
  for (const [index, client] of clients.entries()) {
    if (index % 2 === 0) client.write('POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  }
  // The limit of one address is 1024: those beyond it are closed.
  await Promise.race(clients.map(({ closed }) => closed))
  await kms.send(new CreateKeyCommand({}))
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
  for (const { socket } of clients) socket.destroy()
})

test('a rightly signed request whose body never comes to its end is not carried out', async () => {
  const earlier = await kms.send(new ListKeysCommand({}))
  const request = await signedCall(port, 'CreateKey', { body: '{"Description":"never whole"}' })
  const { rawHeaders } = request
  const client = rawClient({ port })
  client.write('POST / HTTP/1.1\r\n')
  for (let index = 0; index < rawHeaders.length; index += 2) {
    client.write(`${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`)
  }
  client.write(`Content-Length: ${request.body.length}\r\n\r\n`)
  client.write(request.body.subarray(0, -1))
  assert.deepEqual((await kms.send(new ListKeysCommand({}))).Keys, earlier.Keys)
  client.socket.destroy()
  await client.closed
  assert.deepEqual((await kms.send(new ListKeysCommand({}))).Keys, earlier.Keys)
})

test('a flood of headers is refused, and the connection closed', async () => {
  for (const [flood, status] of [
    [`X-Flood: ${'x'.repeat(40_000)}\r\n`, 431],
    [Array.from({ length: 200 }, (_, index) => `X-${index}: a\r\n`).join(''), 431],
  ] as const) {
    const client = rawClient({ port })
    client.write(`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n${flood}\r\n`)
    assert.match(await client.closed, new RegExp(`^HTTP/1.1 ${status} `))
  }
  await kms.send(new ListKeysCommand({}))
})

test('a request target that is no path, an upgrade and an expectation are refused', async () => {
  for (const [head, status] of [
    [`POST http://127.0.0.1:${port}/ HTTP/1.1\r\n`, 400],
    ['POST * HTTP/1.1\r\n', 400],
    ['POST / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n', 400],
    ['POST / HTTP/1.1\r\nExpect: 100-continue\r\n', 417],
    ['CONNECT localhost:443 HTTP/1.1\r\n', 405],
  ] as const) {
    const client = rawClient({ port })
    client.write(`${head}Host: localhost\r\nContent-Length: 0\r\n\r\n`)
    assert.match(await client.closed, new RegExp(`^HTTP/1.1 ${status} `), head)
  }
})
