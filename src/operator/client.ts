/**
 * The operator door from outside: one command is one call on the running server's socket.
 * @module
 */
import { request } from 'node:http'
import { join } from 'node:path'
import { shortestPath } from './socket-path.ts'

/** The server cannot be reached, or has refused: the message is for the terminal. */
export class OperatorCallFailed extends Error {}

const answerBytesMax = 4 * 2 ** 20

/** Calls `operation` of the server that holds `dataDirectory`. @throws {OperatorCallFailed} */
export async function callOperator(
  dataDirectory: string,
  operation: string,
  input: object = {},
): Promise<unknown> {
  const socketPath = shortestPath(join(dataDirectory, 'operator.sock'))
  const [status, body] = await post(socketPath, operation, JSON.stringify(input))
  const answer: unknown = body === '' ? {} : JSON.parse(body)
  if (status !== 200) throw new OperatorCallFailed(`${operation} was refused: ${body}`)
  return answer
}

function post(socketPath: string, operation: string, body: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const call = request({
      socketPath,
      method: 'POST',
      path: '/',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': `TrentOperator.${operation}`,
      },
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
