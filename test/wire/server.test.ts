import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { KmsError } from '../../src/errors.ts'
import { post, rawClient } from './raw-client.ts'
import { answer, gate, running } from './running-listener.ts'

const bounded = { timeout: 30_000 }

test('a request is handed on as its bytes, and its answer comes back', bounded, async (t) => {
  const listener = await running(t)
  const client = rawClient(listener)
  client.write(
    'POST /?a=%20b HTTP/1.1\r\nHost: localhost\r\nX-Amz-Date: 1\r\nx-amz-date: 2\r\n' +
      'X-Latin: caf\u00e9\r\nContent-Length: 5\r\n\r\n'.replace('\u00e9', '\\u00e9') +
      'hello',
  )
  const text = await client.until(/ok 5$/)
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(text, /\r\nContent-Length: 4\r\n/)
  assert.match(text, /\r\nDate: [^\r]+ GMT\r\n/)
  assert.match(text, /\r\nConnection: keep-alive\r\n/)
  const [seen] = listener.seen
  assert.equal(seen?.method, 'POST')
  assert.equal(seen?.target, '/?a=%20b')
  assert.equal(seen?.body.toString(), 'hello')
  assert.equal(seen?.remoteAddress, '127.0.0.1')
  assert.equal(seen?.listener, 'public')
  assert.equal(seen?.secure, true)
  const dates = seen?.rawHeaders.slice(2, 6)
  assert.deepEqual(dates, ['X-Amz-Date', '1', 'x-amz-date', '2'], 'duplicates are kept')
  client.socket.destroy()
})

test('header bytes beyond ASCII come as latin1', bounded, async (t) => {
  const listener = await running(t)
  const client = rawClient(listener)
  client.write(Buffer.from(post('', 'X-Name: caf\u00e9\r\n'), 'latin1'))
  await client.until(/ok 0$/)
  assert.ok(listener.seen[0]?.rawHeaders.includes('caf\u00e9'))
  client.socket.destroy()
})

test('a connection serves one request after another, chunked and whole', bounded, async (t) => {
  const listener = await running(t)
  const client = rawClient(listener)
  client.write(post('one'))
  await client.until(/ok 3$/)
  client.write(post('5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'))
  await client.until(/ok 6$/)
  assert.deepEqual(
    listener.seen.map(({ body }) => body.toString()),
    ['one', 'hello!'],
  )
  client.socket.destroy()
})

test('pipelined requests are answered in order', bounded, async (t) => {
  const listener = await running(t)
  const client = rawClient(listener)
  client.write(post('a') + post('bb') + post('ccc', 'Connection: close\r\n'))
  const text = await client.closed
  assert.deepEqual(text.match(/ok \d/g), ['ok 1', 'ok 2', 'ok 3'])
})

test('an answer without a body has Content-Length 0', bounded, async (t) => {
  const listener = await running(t, {}, async () => ({ status: 200, headers: {}, body: '' }))
  const client = rawClient(listener)
  client.write(post(''))
  assert.match(await client.until(/\r\n\r\n$/), /\r\nContent-Length: 0\r\n/)
  client.socket.destroy()
})

test('whatever a handler throws is a KMSInternalException without detail', bounded, async (t) => {
  const thrown: readonly unknown[] = [
    new Error('secret detail'),
    new KmsError('NotFoundException', 'secret detail'),
    'secret detail',
    undefined,
  ]
  let next = 0
  const listener = await running(t, {}, () => {
    next += 1
    throw thrown[next - 1]
  })
  const client = rawClient(listener)
  for (const [index] of thrown.entries()) {
    client.write(post('{}'))
    const answers = new RegExp(`^(?:[^]*?KMSInternalException"\\}){${index + 1}}$`)
    const text = await client.until(answers)
    assert.match(text, /^HTTP\/1\.1 500 /)
    assert.ok(!text.includes('secret detail') && !text.includes('NotFound'))
  }
  assert.deepEqual(
    listener.failures.map(({ err }) => err),
    thrown,
  )
  const logged = listener.failures[0]?.requestId ?? 'none'
  assert.match(client.received(), new RegExp(`x-amzn-RequestId: ${logged}`))
  client.socket.destroy()
})

test(
  'an answer that HTTP has no form of closes the connection and hangs nobody',
  bounded,
  async (t) => {
    const listener = await running(t, {}, async () => ({
      status: 200,
      headers: { 'X-Split': 'a\r\nb' },
      body: '',
    }))
    const client = rawClient(listener)
    client.write(post(''))
    assert.equal(await client.closed, '')
  },
)

test('a handler over its bound is aborted, and its client answered', bounded, async (t) => {
  const aborted = Promise.withResolvers<unknown>()
  const listener = await running(t, { handlerMs: 20 }, ({ signal }) => {
    signal.addEventListener('abort', () => aborted.resolve(signal.reason))
    return new Promise(() => {})
  })
  const client = rawClient(listener)
  client.write(post(''))
  await client.until(/KMSInternalException/)
  assert.match(String(await aborted.promise), /longer than 20 ms/)
  client.socket.destroy()
})

test('a client that goes away aborts its request', bounded, async (t) => {
  const reached = Promise.withResolvers<AbortSignal>()
  const listener = await running(t, {}, async ({ signal }) => {
    reached.resolve(signal)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    return answer('too late')
  })
  const client = rawClient(listener)
  client.write(post(''))
  const signal = await reached.promise
  assert.equal(signal.aborted, false)
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
  client.socket.destroy()
  await aborted
})

test('a request that is answered does not abort', bounded, async (t) => {
  const listener = await running(t)
  const client = rawClient(listener)
  client.write(post('', 'Connection: close\r\n'))
  await client.closed
  assert.equal(listener.seen[0]?.signal.aborted, false)
})

test('a stop finishes what is in flight and refuses what comes after', bounded, async (t) => {
  const { handler, open, reached } = gate()
  const listener = await running(t, {}, handler)
  const busy = rawClient(listener)
  const idle = rawClient(listener)
  const half = rawClient(listener)
  half.write('POST / HTTP/1.1\r\nHost')
  busy.write(post(''))
  await reached(1)
  const closed = listener.close(30_000)
  await Promise.all([idle.closed, half.closed])
  const late = rawClient(listener)
  assert.equal(await late.closed, '')
  open()
  assert.match(await busy.closed, /\r\nConnection: close\r\n[^]*ok$/)
  await closed
  await listener.close(30_000)
})

test('a stop cuts what is not done within its bound', bounded, async (t) => {
  const { handler, reached } = gate()
  const listener = await running(t, {}, handler)
  const client = rawClient(listener)
  client.write(post(''))
  await reached(1)
  await listener.close(20)
  assert.equal(await client.closed, '')
})

test('a kept connection is used again by an ordinary client', bounded, async (t) => {
  const listener = await running(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ports = new Set<number | undefined>()
  for (let round = 0; round < 5; round += 1) {
    await new Promise<void>((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port: listener.port, method: 'POST', agent })
      sent.on('error', reject)
      sent.on('response', (response) => {
        ports.add(response.socket.localPort)
        response.resume().on('end', resolve)
      })
      sent.end('{}')
    })
  }
  assert.equal(ports.size, 1)
})
