/** Calls of the operator door from inside the server, while its doors are still closed. @module */
import type { RawRequest, RawResponse } from '../wire/request.ts'
import { answerOf, operatorHeaders } from './client.ts'

/** How an operation is asked for, wherever the server is. @throws {OperatorCallFailed} */
export type Ask = (operation: string, input: object) => Promise<unknown>

/** As long as a call from outside has. */
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
      signal: AbortSignal.timeout(callMs),
    })
    return answerOf(operation, status, body.toString())
  }
}
