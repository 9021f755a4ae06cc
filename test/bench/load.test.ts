/** The load generator's two loops, against a server of this process. @module */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { closedLoop, openLoop } from '../../bench/load.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1')
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
  const { latencies, answerBytes } = await closedLoop(port, requests, 3)
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
  await assert.rejects(closedLoop(port, requests, 2), /refused/)
  await assert.rejects(openLoop(port, requests, 2, 1000), /refused/)
})
