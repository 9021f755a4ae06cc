/**
 * The load generator: sends prepared requests over keep-alive connections, one in flight on each. It does almost
 * nothing except reading lengths, so that it measures the server.
 * @module
 */
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly requestsPerSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Bytes of the last answer's body. */
  readonly answerBytes: number
}

/** Sends every request once. @throws when an answer is not 200 */
export async function load(
  port: number,
  requests: readonly Buffer[],
  connections: number,
): Promise<Load> {
  const latencies: number[] = []
  let next = 0
  let answerBytes = 0
  const take = (): Buffer | undefined => requests[next++]
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, () =>
      drive(port, take, (ms, bytes) => {
        latencies.push(ms)
        answerBytes = bytes
      }),
    ),
  )
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
  return { requestsPerSecond: requests.length / seconds, p50: at(0.5), p99: at(0.99), answerBytes }
}

function drive(
  port: number,
  take: () => Buffer | undefined,
  done: (ms: number, bytes: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let received: Uint8Array & Buffer = Buffer.alloc(0)
    let sentAt = 0
    const send = (): void => {
      const request = take()
      if (request === undefined) {
        socket.end()
        resolve()
        return
      }
      sentAt = performance.now()
      socket.write(request)
    }
    socket.on('error', reject)
    socket.on('connect', send)
    socket.on('data', (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
      const headEnd = received.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const head = received.toString('latin1', 0, headEnd)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? '0')
      if (received.length < headEnd + 4 + length) return
      if (!head.startsWith('HTTP/1.1 200')) {
        reject(new Error(`answered ${received.toString('utf8')}`))
        socket.destroy()
        return
      }
      received = Buffer.alloc(0)
      done(performance.now() - sentAt, length)
      send()
    })
  })
}
