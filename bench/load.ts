/**
 * The load generator: sends prepared requests over keep-alive connections, one in flight on each. It does almost
 * nothing except reading lengths, so that it measures the server.
 * @module
 */
import { connect } from 'node:net'
import { createLatencies, type Latencies } from './latencies.ts'

export interface Load {
  readonly seconds: number
  readonly latencies: Latencies
  /** Bytes of the last answer's body. */
  readonly answerBytes: number
}

interface Connection {
  /**
   * Sends a request. None may be in flight on the connection.
   * @param since start of its latency, in milliseconds of `performance.now()`
   */
  readonly send: (request: Buffer, since: number) => void
}

/**
 * A closed loop: sends every request once, the next one as soon as a connection is free.
 * @throws when an answer is not 200
 */
export function closedLoop(
  port: number,
  requests: readonly Buffer[],
  connections: number,
): Promise<Load> {
  let next = 0
  return drive(port, connections, requests.length, (connection) => {
    const request = requests[next]
    next += 1
    if (request !== undefined) connection.send(request, performance.now())
  })
}

/**
 * An open loop: a request becomes due every `1 / rate` seconds, whether the server has answered the last one or
 * not. If no connection is free, it waits, and its latency includes the wait.
 * @param rate requests a second
 * @throws when an answer is not 200
 */
export async function openLoop(
  port: number,
  requests: readonly Buffer[],
  connections: number,
  rate: number,
): Promise<Load> {
  const free: Connection[] = []
  const dueAt = new Float64Array(requests.length)
  let due = 0
  let sent = 0
  const sendDue = (): void => {
    while (sent < due && free.length > 0) {
      const request = requests[sent]
      if (request !== undefined) free.pop()?.send(request, dueAt[sent] ?? 0)
      sent += 1
    }
  }
  let started: number | undefined
  const timer = setInterval(() => {
    if (free.length === 0 && started === undefined) return
    const now = performance.now()
    started ??= now
    // A late timer is the load generator's delay, not the server's: latencies start now.
    const until = Math.min(requests.length, ((now - started) * rate) / 1000)
    for (; due < until; due += 1) dueAt[due] = now
    sendDue()
  }, 1)
  try {
    return await drive(port, connections, requests.length, (connection) => {
      free.push(connection)
      sendDue()
    })
  } finally {
    clearInterval(timer)
  }
}

/**
 * Opens connections, and closes them after the last answer.
 * @param count number of answers to wait for
 * @param isFree called for each connection when it is open, and after each answer
 */
async function drive(
  port: number,
  connections: number,
  count: number,
  isFree: (connection: Connection) => void,
): Promise<Load> {
  const { promise: all, resolve, reject } = Promise.withResolvers<undefined>()
  const latencies = createLatencies(count)
  let answerBytes = 0
  const answered = (milliseconds: number, bytes: number): void => {
    latencies.add(milliseconds)
    answerBytes = bytes
    if (latencies.count === count) resolve(undefined)
  }
  const opened = Array.from({ length: connections }, () => open(port, answered, isFree, reject))
  const started = performance.now()
  try {
    await all
    return { seconds: (performance.now() - started) / 1000, latencies, answerBytes }
  } finally {
    for (const close of opened) close()
  }
}

/** Opens a connection, and returns what closes it. */
function open(
  port: number,
  answered: (milliseconds: number, bytes: number) => void,
  isFree: (connection: Connection) => void,
  failed: (error: Error) => void,
): () => void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let since = 0
  let received: Uint8Array & Buffer = Buffer.alloc(0)
  const connection: Connection = {
    send(request, from) {
      since = from
      socket.write(request)
    },
  }
  socket.on('connect', () => {
    isFree(connection)
  })
  socket.on('error', failed)
  socket.on('close', () => {
    failed(new Error('the server closed a connection'))
  })
  socket.on('data', (bytes: Buffer) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    const headEnd = received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = received.toString('latin1', 0, headEnd)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? '0')
    if (received.length < headEnd + 4 + length) return
    if (!head.startsWith('HTTP/1.1 200')) {
      failed(new Error(`answered ${received.toString('utf8')}`))
      return
    }
    received = Buffer.alloc(0)
    answered(performance.now() - since, length)
    isFree(connection)
  })
  return () => socket.destroy()
}
