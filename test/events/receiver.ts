/**
 * A webhook for events on a real local port. Tests set its answers, and it checks the signatures.
 * @module
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Certified } from '../wire/certificate.ts'

export const secretText = 'a-secret-of-the-webhook'

/** An event in the form of EventBridge. */
export interface Told {
  readonly version: string
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Readonly<Record<string, unknown>>
}

export interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The parsed body. */
  readonly told: Told
}

export interface Receiver {
  readonly url: string
  /** Settings of a server that sends events to it. */
  readonly settings: {
    readonly TRENT_EVENTS_WEBHOOK: string
    readonly TRENT_EVENTS_WEBHOOK_SECRET: string
  }
  /** All requests in order, including refused ones. */
  readonly heard: readonly Heard[]
  /** Accepted events, by `detail-type`. */
  readonly taken: readonly Told[]
  /**
   * Sets the answer from now on: a status, or a function, in which case no event counts as accepted.
   */
  readonly answer: (how: number | ((response: ServerResponse, heard: Heard) => void)) => void
  /** Waits for this many requests. */
  readonly hears: (count: number) => Promise<void>
  /** Waits for this many accepted events. */
  readonly takes: (count: number) => Promise<void>
}

/** The longest wait for a request. */
const patienceMs = 120_000

export async function startReceiver(t: TestContext, tls?: Certified): Promise<Receiver> {
  const heard: Heard[] = []
  const taken: Told[] = []
  let how: Parameters<Receiver['answer']>[0] = 204
  const listener: RequestListener = (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const each = { headers: request.headers, body, told: JSON.parse(body) as Told }
      heard.push(each)
      if (typeof how === 'function') return how(response, each)
      if (how >= 200 && how < 300) taken.push(each.told)
      return response.writeHead(how, { location: '/elsewhere' }).end()
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const url =
    tls === undefined ? `http://127.0.0.1:${port}/hook` : `https://localhost:${port}/hook?t=tok3n`
  const until = async (list: readonly unknown[], count: number): Promise<void> => {
    const deadline = performance.now() + patienceMs
    while (list.length < count) {
      assert.ok(performance.now() < deadline, `${list.length} of ${count} have come`)
      await sleep(20)
    }
  }
  return {
    url,
    settings: { TRENT_EVENTS_WEBHOOK: url, TRENT_EVENTS_WEBHOOK_SECRET: secretText },
    heard,
    taken,
    answer(given) {
      how = given
    },
    hears: (count) => until(heard, count),
    takes: (count) => until(taken, count),
  }
}

/** Checks the signature from the specification alone. */
export function assertSigned({ headers, body }: Heard): void {
  const stamp = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const mac = createHmac('sha256', secretText).update(stamp).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${mac}`)
}
