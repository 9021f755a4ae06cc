/** The load generator's two loops, against a server of this process. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerOptions } from 'node:http'
import { test, type TestContext } from 'node:test'
import { closedLoop, eachOf, openLoop } from '../../bench/load.ts'

async function serve(
  t: TestContext,
  listener: RequestListener,
  options: ServerOptions = {},
): Promise<number> {
  const server = createServer(options, listener).listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

const requests = Array.from({ length: 30 }, () =>
  Buffer.from('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}'),
)

test('a closed loop sends each request once, over as many connections as asked', async (t) => {
  const sockets = new Set<unknown>()
  let served = 0
  const port = await serve(t, (request, response) => {
    sockets.add(request.socket)
    served += 1
    response.end('four')
  })
  const { latencies, answerBytes } = await closedLoop(port, eachOf(requests), 3)
  assert.deepEqual(
    { served, connections: sockets.size, latencies: latencies.count, answerBytes },
    { served: 30, connections: 3, latencies: 30, answerBytes: 4 },
  )
})

test('an open loop sends at its rate, and counts the wait for a connection', async (t) => {
  const port = await serve(t, (_, response) => {
    setTimeout(() => response.end('x'), 20)
  })
  const { seconds, latencies } = await openLoop(port, requests, 30, 150)
  assert.ok(seconds > 0.18, `30 requests at 150 a second took ${seconds} s`)
  assert.ok(latencies.percentile(0) > 15, `${latencies.percentile(0)} ms`)
  // Over one connection, each request waits for all before it.
  const queued = await openLoop(port, requests, 1, 10_000)
  assert.ok(queued.latencies.percentile(1) > 500, `${queued.latencies.percentile(1)} ms`)
})

test('a loop fails on an answer other than 200', async (t) => {
  const port = await serve(t, (_, response) => {
    response.writeHead(400).end('refused')
  })
  await assert.rejects(closedLoop(port, eachOf(requests), 2), /refused/)
  await assert.rejects(openLoop(port, requests, 2, 1000), /refused/)
})

test('a closed loop ends at once when it is stopped', async (t) => {
  const port = await serve(t, (request, response) => {
    if (request.headers['x-number'] !== undefined) response.end('x')
  })
  const stopping = new AbortController()
  const endless = closedLoop(port, () => requests[0], 2, stopping.signal)
  setTimeout(() => {
    stopping.abort()
  }, 50)
  assert.equal((await endless).latencies.count, 0)
})

test('a connection that the server closes after each answer is opened again', async (t) => {
  const sockets = new Set<unknown>()
  const port = await serve(t, (request, response) => {
    sockets.add(request.socket)
    response.writeHead(200, { Connection: 'close' }).end('x')
  })
  const { latencies } = await closedLoop(port, eachOf(requests), 2)
  assert.deepEqual(
    { answers: latencies.count, connections: sockets.size },
    { answers: 30, connections: 30 },
  )
})

test('a connection that was idle for too long opens again for the next request', async (t) => {
  const sockets = new Set<unknown>()
  const port = await serve(
    t,
    (request, response) => {
      sockets.add(request.socket)
      response.end('x')
    },
    { keepAliveTimeout: 20, keepAliveTimeoutBuffer: 0 },
  )
  const { latencies } = await openLoop(port, requests.slice(0, 4), 1, 5)
  assert.deepEqual(
    { answers: latencies.count, connections: sockets.size },
    { answers: 4, connections: 4 },
  )
})
