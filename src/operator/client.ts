/**
 * Calls the operator door from outside: one command is one call on the running server's socket, or on its
 * port for unsealing.
 * @module
 */
import { request } from 'node:http'
import { request as requestOverTls, type RequestOptions } from 'node:https'
import { join } from 'node:path'
import { shortestPath } from './socket-path.ts'

/**
 * The server cannot be reached, or it refused. The message is for the terminal. Of a refusal, it is the
 * server's own, and `name` is the code of the error, as with the AWS SDKs.
 */
export class OperatorCallFailed extends Error {
  constructor(message: string, options?: ErrorOptions & { readonly code?: string }) {
    super(message, options)
    if (options?.code !== undefined) this.name = options.code
  }
}

const answerBytesMax = 4 * 2 ** 20

/** Calls `operation` of the server with its socket in `operatorDirectory`. @throws {OperatorCallFailed} */
export async function callOperator(
  operatorDirectory: string,
  operation: string,
  input: object = {},
): Promise<unknown> {
  const socketPath = shortestPath(join(operatorDirectory, 'operator.sock'))
  const [status, body] = await post({ socketPath }, operation, JSON.stringify(input))
  return answerOf(operation, status, body)
}

/** A server's port for unsealing, and the files that prove each to the other, PEM. */
export interface UnsealPort {
  readonly url: URL
  /** Authorities of the server's certificate; the system's by default. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** Calls `operation` on the port for unsealing. @throws {OperatorCallFailed} */
export async function callUnsealPort(
  { url, ...files }: UnsealPort,
  operation: string,
  input: object = {},
): Promise<unknown> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const at = { host, port: url.port === '' ? 443 : url.port, agent: false } as const
  // Said here, because NODE_TLS_REJECT_UNAUTHORIZED=0 would send the share to anybody.
  const options = { ...at, ...files, minVersion: 'TLSv1.3', rejectUnauthorized: true } as const
  const [status, body] = await post(options, operation, JSON.stringify(input))
  return answerOf(operation, status, body)
}

/** @throws {OperatorCallFailed} */
export function answerOf(operation: string, status: number, body: string): unknown {
  const answer = jsonOf(operation, body)
  if (status === 200) return answer
  // AWS begins the name of this member with a capital where access is denied.
  const {
    __type: code,
    Message,
    message = Message,
  } = (answer ?? {}) as Readonly<Record<string, unknown>>
  if (typeof code !== 'string') throw new OperatorCallFailed(`${operation} was refused: ${body}`)
  const isWorded = typeof message === 'string' && message !== ''
  throw new OperatorCallFailed(isWorded ? message : `${operation} was refused: ${code}`, { code })
}

function jsonOf(operation: string, body: string): unknown {
  if (body === '') return {}
  try {
    return JSON.parse(body) as unknown
  } catch (cause) {
    const message = `${operation} was answered by something that is not Trent`
    throw new OperatorCallFailed(message, { cause })
  }
}

export function operatorHeaders(operation: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'application/x-amz-json-1.1',
    'X-Amz-Target': `TrentOperator.${operation}`,
  }
}

function post(target: RequestOptions, operation: string, body: string): Promise<[number, string]> {
  const isLocal = target.socketPath !== undefined
  const place = target.socketPath ?? `${target.host}:${target.port}`
  return new Promise((resolve, reject) => {
    const call = (isLocal ? request : requestOverTls)({
      ...target,
      method: 'POST',
      path: '/',
      headers: { ...operatorHeaders(operation), 'Content-Length': Buffer.byteLength(body) },
      timeout: 30_000,
    })
    call.on('timeout', () => call.destroy(new Error('no answer within 30 seconds')))
    const failed = (what: string) => (cause: Error) =>
      reject(new OperatorCallFailed(`${what} at ${place}: ${cause.message}`, { cause }))
    call.on('error', failed('no server answers'))
    call.on('response', (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > answerBytesMax) response.destroy(new Error('the answer is too long'))
        parts.push(part)
      })
      response.on('error', failed('the answer was cut off'))
      response.on('end', () => {
        resolve([response.statusCode ?? 0, Buffer.concat(parts).toString('utf8')])
      })
    })
    call.end(body)
  })
}
