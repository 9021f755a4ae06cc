/** Connections to proxies that wait for the next call, beside calls to other hosts. @module */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { ProxyAgent } from '../../../src/keystores/external/proxy-agent.ts'
import { certified } from '../../wire/certificate.ts'

const limits = {
  toOneHost: 4,
  toAllHosts: 8,
  idleToOneHost: 4,
  idleToAllHosts: 6,
  // None ends by itself while the test runs.
  idleMs: 600_000,
}

test(
  'connections that wait never keep a call to another host from its own',
  { timeout: 120_000 },
  async (t) => {
    const { key, cert, authority } = await certified('*.example.com')
    const open = new Set<Socket>()
    const closes = new EventEmitter()
    let waiting: (() => void)[] = []
    let isHeld = true
    const server = createServer({ key, cert }, (_request, response) => {
      if (isHeld) waiting.push(() => response.end('{}'))
      else response.end('{}')
    })
    server.on('secureConnection', (socket) => {
      open.add(socket)
      socket.on('close', () => {
        open.delete(socket)
        closes.emit('close')
      })
    })
    server.keepAliveTimeout = limits.idleMs
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const agent = new ProxyAgent(limits)
    t.after(() => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
    })
    const ask = async (name: string): Promise<{ readonly isReused: boolean }> => {
      const asked = { host: '127.0.0.1', port, agent, ca: authority, servername: name }
      const request = httpsRequest(asked).end()
      const [response] = await once(request, 'response')
      response.resume()
      await once(response, 'end')
      return { isReused: request.reusedSocket }
    }
    const crowd = ['one', 'two'].flatMap((name) =>
      Array.from({ length: limits.toOneHost }, () => ask(`${name}.example.com`)),
    )
    // Each of the eight has a connection of its own.
    while (waiting.length < crowd.length) await once(server, 'request')
    isHeld = false
    const answers = waiting
    waiting = []
    for (const answer of answers) answer()
    await Promise.all(crowd)
    // Every place was taken. Now there is one for another host.
    assert.deepEqual(await ask('three.example.com'), { isReused: false })
    while (open.size > limits.idleToAllHosts) await once(closes, 'close')
    // The newest are kept, and they are used again.
    assert.deepEqual(await ask('three.example.com'), { isReused: true })
    assert.deepEqual(await ask('two.example.com'), { isReused: true })
  },
)
