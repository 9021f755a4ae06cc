import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { post, rawClient } from './raw-client.ts'
import { gate, running } from './running-listener.ts'

const bounded = { timeout: 30_000 }

test('a flood of connections from one address leaves others theirs', bounded, async (t) => {
  const listener = await running(t, { connectionsPerSourceMax: 5 })
  const flood = Array.from({ length: 5 }, () => rawClient(listener))
  await Promise.all(flood.map(({ socket }) => once(socket, 'connect')))
  const refused = rawClient(listener)
  refused.write(post(''))
  assert.equal(await refused.closed, '')
  const other = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
  other.write(post('{}'))
  await other.until(/ok 2$/)
  assert.equal(listener.seen[0]?.remoteAddress, '127.0.0.2')
  // A place that is given back is taken again.
  const [first] = flood
  first?.write(post('', 'Connection: close\r\n'))
  await first?.closed
  await afterwards(async () => {
    const next = rawClient(listener)
    next.write(post('a'))
    await next.until(/ok 1$/)
    next.socket.destroy()
  })
  for (const { socket } of [...flood, other]) socket.destroy()
})

test('a flood of requests from one address leaves others theirs', bounded, async (t) => {
  const { handler, open, reached } = gate()
  const listener = await running(t, { requestsPerSourceMax: 3, lingerMs: 20 }, handler)
  const flood = Array.from({ length: 3 }, () => rawClient(listener))
  for (const client of flood) client.write(post(''))
  await reached(3)
  const refused = rawClient(listener)
  refused.write(post(''))
  const received = await refused.closed
  assert.match(received, /^HTTP\/1\.1 503 [^]*"__type":"ServiceUnavailableException"/)
  const other = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
  other.write(post(''))
  await reached(4)
  open()
  await Promise.all([...flood, other].map((client) => client.until(/ok$/)))
  for (const { socket } of [...flood, other]) socket.destroy()
})

test('requests pipelined on one connection are bounded like any others', bounded, async (t) => {
  const { handler, open, reached } = gate()
  const listener = await running(t, { requestsPerSourceMax: 3 }, handler)
  const client = rawClient(listener)
  client.write(post('').repeat(10))
  await reached(3)
  open()
  const received = await client.closed
  assert.equal(received.match(/200 OK/g)?.length, 3)
  assert.equal(received.match(/503 /g)?.length, 1)
  assert.equal(listener.seen.length, 3)
})

test('a connection that asks on without its answers is cut, others are not', bounded, async (t) => {
  const { handler, open, reached } = gate()
  const listener = await running(t, { pipelinedMax: 3 }, handler)
  const patient = rawClient(listener)
  patient.write(post('').repeat(3))
  await reached(3)
  const client = rawClient(listener)
  client.write(post('').repeat(4))
  assert.equal(await client.closed, '')
  open()
  const received = await patient.until(/(?:ok[^]*){3}$/)
  assert.equal(received.match(/200 OK/g)?.length, 3)
  patient.write(post('', 'Connection: close\r\n'))
  assert.equal((await patient.closed).match(/200 OK/g)?.length, 4)
})

test('body bytes held are bounded by address, before a body is whole', bounded, async (t) => {
  const listener = await running(t, { bodyBytesHeldPerSourceMax: 1500 })
  const holding = rawClient(listener)
  const asked = once(holding.socket, 'connect')
  holding.write(post('x'.repeat(1000), 'Content-Length: 1001\r\n'))
  await asked
  await afterwards(async () => {
    const refused = rawClient(listener)
    refused.write(post('x'.repeat(600)))
    assert.match(await refused.closed, /^HTTP\/1\.1 503 /)
  })
  const other = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
  other.write(post('x'.repeat(600)))
  await other.until(/ok 600$/)
  holding.write('x')
  await holding.until(/ok 1001$/)
  const next = rawClient(listener)
  next.write(post('x'.repeat(1400)))
  await next.until(/ok 1400$/)
  for (const { socket } of [holding, other, next]) socket.destroy()
})

/** Tries again until the server has seen what went before on another connection. */
async function afterwards(check: () => Promise<void>): Promise<void> {
  for (let left = 200; ; left -= 1) {
    try {
      return await check()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
