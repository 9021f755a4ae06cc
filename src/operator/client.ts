/** Calls the operator door from outside: one command is one call on the running server's socket. @module */
import { request } from 'node:http'
import { join } from 'node:path'
import { shortestPath } from './socket-path.ts'

/** The server cannot be reached, or it refused. The message is for the terminal. */
export class OperatorCallFailed extends Error {
  /** The server's message, when it refused. */
  readonly refusal?: string

  constructor(message: string, options?: ErrorOptions & { readonly refusal?: string }) {
    super(message, options)
    if (options?.refusal !== undefined) this.refusal = options.refusal
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
  const [status, body] = await post(socketPath, operation, JSON.stringify(input))
  return answerOf(operation, status, body)
}

/** @throws {OperatorCallFailed} */
export function answerOf(operation: string, status: number, body: string): unknown {
  const answer: unknown = body === '' ? {} : JSON.parse(body)
  if (status !== 200) {
    const refusal = messageOf(answer)
    throw new OperatorCallFailed(`${operation} was refused: ${body}`, refusal)
  }
  return answer
}

export function operatorHeaders(operation: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'application/x-amz-json-1.1',
    'X-Amz-Target': `TrentOperator.${operation}`,
  }
}

function messageOf(answer: unknown): { readonly refusal?: string } {
  const message = (answer as { readonly message?: unknown } | null)?.message
  return typeof message === 'string' ? { refusal: message } : {}
}

function post(socketPath: string, operation: string, body: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const call = request({
      socketPath,
      method: 'POST',
      path: '/',
      headers: operatorHeaders(operation),
      timeout: 30_000,
    })
    call.on('timeout', () => call.destroy(new Error('no answer within 30 seconds')))
    call.on('error', (cause) => {
      reject(
        new OperatorCallFailed(`no server answers at ${socketPath}: ${cause.message}`, { cause }),
      )
    })
    call.on('response', (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > answerBytesMax) response.destroy(new Error('the answer is too long'))
        parts.push(part)
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve([response.statusCode ?? 0, Buffer.concat(parts).toString('utf8')])
      })
    })
    call.end(body)
  })
}
