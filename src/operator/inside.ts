/** Calls the operator door from inside the server, before its listeners open. @module */
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { answerOf, operatorHeaders } from './client.ts'

/** Calls an operation, inside or outside the server. @throws {OperatorCallFailed} */
export type Ask = (operation: string, input: object) => Promise<unknown>

/** The same time limit as for a call from outside. */
const callMs = 30_000

export function askInside(handle: (request: RawRequest) => Promise<RawResponse>): Ask {
  return async (operation, input) => {
    const { status, body } = await handle({
      listener: 'operator',
      method: 'POST',
      target: '/',
      rawHeaders: Object.entries(operatorHeaders(operation)).flat(),
      body: Buffer.from(JSON.stringify(input)),
      remoteAddress: '',
      secure: true,
      peer: 'server',
      signal: AbortSignal.timeout(callMs),
    })
    return answerOf(operation, status, body.toString())
  }
}
