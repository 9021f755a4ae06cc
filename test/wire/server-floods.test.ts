import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { post, rawClient } from './raw-client.ts'
import { answer, gate, running } from './running-listener.ts'

const bounded = { timeout: 30_000 }

test(
  'a flood of idle connections stops nobody, from the same address or another',
  bounded,
  async (t) => {
    const listener = await running(t, { connectionsPerSourceMax: 5, headersMs: 25_000 })
    const served = rawClient(listener)
    served.write(post('kept'))
    await served.until(/ok 4$/)
    const flood = Array.from({ length: 4 }, () => rawClient(listener))
    await Promise.all(flood.map(({ socket }) => once(socket, 'connect')))
    const other = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
    other.write(post('{}'))
    await other.until(/ok 2$/)
    assert.equal(listener.seen[1]?.remoteAddress, '127.0.0.2')
    // Those that never asked for anything go first, the one that waited longest before the others.
    const next = rawClient(listener)
    next.write(post('a'))
    await next.until(/ok 1$/)
    assert.equal(await flood[0]?.closed, '')
    served.write(post('again'))
    await served.until(/ok 5$/)
    for (const { socket } of [...flood, other, next, served]) socket.destroy()
  },
)

test('connections whose requests are at work are not dropped for new ones', bounded, async (t) => {
  const { handler, open, reached } = gate()
  const listener = await running(t, { connectionsPerSourceMax: 3 }, handler)
  const working = Array.from({ length: 3 }, () => rawClient(listener))
  for (const client of working) client.write(post(''))
  await reached(3)
  const refused = rawClient(listener)
  refused.write(post(''))
  assert.equal(await refused.closed, '')
  open()
  await Promise.all(working.map((client) => client.until(/ok$/)))
  for (const { socket } of working) socket.destroy()
})

test('half-open bodies make room for a call that is whole', bounded, async (t) => {
  const limits = { bodyBytesHeldPerSourceMax: 32_000, requestsPerSourceMax: 20, lingerMs: 20 }
  const listener = await running(t, limits)
  // 32,000 bytes by eight clients fill the room for bodies; twelve more fill that for requests.
  const half = Array.from({ length: 20 }, () => rawClient(listener))
  for (const [index, client] of half.entries()) {
    client.write(post(index < 8 ? 'x'.repeat(4000) : '', 'Content-Length: 4001\r\n'))
  }
  const calls = Array.from({ length: 10 }, () => rawClient(listener))
  for (const client of calls) client.write(post('y'.repeat(4000)))
  await Promise.all(calls.map((client) => client.until(/ok 4000$/)))
  const dropped = half.filter(({ received }) => received() !== '')
  for (const { received } of dropped) assert.match(received(), /^HTTP\/1\.1 503 /)
  for (const { socket } of [...half, ...calls]) socket.destroy()
})

test('a body that comes too slowly is dropped while others go on', bounded, async (t) => {
  const limits = { bodyGraceMs: 50, bodyBytesPerSecondMin: 1000, lingerMs: 20 }
  const listener = await running(t, limits)
  const slow = rawClient(listener)
  slow.write(post('x', 'Content-Length: 1000\r\n'))
  const drip = setInterval(() => slow.write('x'), 20)
  t.after(() => clearInterval(drip))
  assert.match(await slow.until(/\}$/), /^HTTP\/1\.1 408 [^]*more slowly/)
  const fast = rawClient(listener)
  fast.write(post('x'.repeat(500_000), 'Content-Length: 500001\r\n'))
  await slow.closed
  fast.write('x')
  await fast.until(/ok 500001$/)
  assert.equal(listener.seen.length, 1)
  fast.socket.destroy()
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

test(
  'body bytes held are bounded by address, and what is whole keeps its own',
  bounded,
  async (t) => {
    const { handler, open, reached } = gate()
    const listener = await running(t, { bodyBytesHeldPerSourceMax: 1500, lingerMs: 20 }, handler)
    const holding = rawClient(listener)
    holding.write(post('x'.repeat(1000)))
    await reached(1)
    const refused = rawClient(listener)
    refused.write(post('x'.repeat(600)))
    assert.match(await refused.closed, /^HTTP\/1\.1 503 /)
    const other = rawClient({ port: listener.port, localAddress: '127.0.0.2' })
    other.write(post('x'.repeat(600)))
    await reached(2)
    open()
    await Promise.all([holding, other].map((client) => client.until(/ok$/)))
    const next = rawClient(listener)
    next.write(post('x'.repeat(1400)))
    await next.until(/ok$/)
    for (const { socket } of [holding, other, next]) socket.destroy()
  },
)

test('a client that reads no answers is paused in the middle of its bytes', bounded, async (t) => {
  const first = gate()
  const large = Promise.withResolvers<void>()
  const listener = await running(t, {}, async (request) => {
    const text = request.body.toString()
    if (text === 'first') return first.handler(request)
    if (text !== 'large') return answer(`<${text.length}>`)
    large.resolve()
    return answer('x'.repeat(200_000))
  })
  const client = rawClient(listener)
  client.write(post('first') + post('large'))
  await large.promise
  // The large answer waits behind the first one, so the next request pauses the connection.
  client.write(post('a'.repeat(3000)) + post('b'.repeat(3001)) + post('c'.repeat(3002)))
  await new Promise((resolve) => setTimeout(resolve, 50))
  first.open()
  const received = await client.until(/<3002>/)
  assert.deepEqual(received.match(/<\d+>/g), ['<3000>', '<3001>', '<3002>'])
  client.socket.destroy()
})
