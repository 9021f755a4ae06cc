/**
 * The load generator: sends prepared requests over keep-alive connections, one in flight on each. It does almost
 * nothing except reading lengths, so that it measures the server.
 * @module
 */
import { connect, type Socket } from 'node:net'
import { createLatencies, type Latencies } from './latencies.ts'

export interface Load {
  readonly seconds: number
  readonly latencies: Latencies
  /** Bytes of the last answer's body. */
  readonly answerBytes: number
  /** Bytes of all answers, with their heads. */
  readonly received: number
}

interface Connection {
  /**
   * Sends a request. None may be in flight on the connection.
   * @param since start of its latency, in milliseconds of `performance.now()`
   */
  readonly send: (request: Buffer, since: number) => void
}

type Answered = (milliseconds: number, headBytes: number, bodyBytes: number) => void

/**
 * A closed loop: each connection sends its next request as soon as the last one is answered.
 * @param next the next request; without one, the loop ends after the answers in flight
 * @param signal ends the loop at once
 * @throws when an answer is not 200
 */
export function closedLoop(
  port: number,
  next: () => Buffer | undefined,
  connections: number,
  signal?: AbortSignal,
): Promise<Load> {
  let busy = connections
  return drive(port, connections, (end) => {
    signal?.addEventListener('abort', end)
    return (connection) => {
      const request = next()
      if (request !== undefined) return connection.send(request, performance.now())
      busy -= 1
      if (busy === 0) end()
    }
  })
}

/** Each of the requests once, for `closedLoop`. */
export function eachOf(requests: readonly Buffer[]): () => Buffer | undefined {
  let index = 0
  return () => requests[index++]
}

/**
 * An open loop: a request becomes due every `1 / rate` seconds, whether the server has answered the last one or
 * not. If no connection is free, it waits, and its latency includes the wait.
 * @param rate requests a second
 * @throws when an answer is not 200
 */
export function openLoop(
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
    const now = performance.now()
    if (free.length === connections) started ??= now
    if (started === undefined) return
    // A late timer is the load generator's delay, not the server's: latencies start now.
    const until = Math.min(requests.length, ((now - started) * rate) / 1000)
    for (; due < until; due += 1) dueAt[due] = now
    sendDue()
  }, 1)
  return drive(port, connections, (end) => (connection) => {
    free.push(connection)
    sendDue()
    if (sent === requests.length && free.length === connections) end()
  }).finally(() => {
    clearInterval(timer)
  })
}

/**
 * Opens connections, and closes them at the end.
 * @param plan returns what happens whenever a connection is open and free
 */
async function drive(
  port: number,
  connections: number,
  plan: (end: () => void) => (connection: Connection) => void,
): Promise<Load> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<undefined>()
  const latencies = createLatencies()
  let answerBytes = 0
  let received = 0
  const isFree = plan(() => {
    resolve(undefined)
  })
  const answered: Answered = (milliseconds, headBytes, bodyBytes) => {
    latencies.add(milliseconds)
    answerBytes = bodyBytes
    received += headBytes + bodyBytes
  }
  const opened = Array.from({ length: connections }, () => open(port, answered, isFree, reject))
  const started = performance.now()
  try {
    await ended
    return { seconds: (performance.now() - started) / 1000, latencies, answerBytes, received }
  } finally {
    for (const close of opened) close()
  }
}

/** Opens a connection, and returns what closes it. A connection that the server closes after an answer opens anew. */
function open(
  port: number,
  answered: Answered,
  isFree: (connection: Connection) => void,
  failed: (error: Error) => void,
): () => void {
  let since = 0
  let isInUse = false
  let received: Uint8Array & Buffer = Buffer.alloc(0)
  const onData = (bytes: Buffer): void => {
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
    isInUse = false
    answered(performance.now() - since, headEnd + 4, length)
    if (!/connection: close/i.test(head)) return isFree(connection)
    socket.destroy()
    socket = dial()
    socket.once('connect', () => {
      isFree(connection)
    })
  }
  const dial = (): Socket => {
    const dialled = connect({ port, host: '127.0.0.1', noDelay: true })
    const onClosed = (
      error = new Error('the server closed a connection before its answer'),
    ): void => {
      if (dialled !== socket) return
      // It was idle for too long. The next request waits for the new connection.
      if (isOpen && !isInUse) socket = dial()
      else failed(error)
    }
    let isOpen = false
    dialled.on('connect', () => {
      isOpen = true
    })
    dialled.on('error', onClosed)
    dialled.on('data', onData)
    dialled.on('end', onClosed)
    return dialled
  }
  const connection: Connection = {
    send(request, from) {
      since = from
      isInUse = true
      socket.write(request)
    },
  }
  let socket = dial()
  socket.once('connect', () => {
    isFree(connection)
  })
  return () => socket.destroy()
}
