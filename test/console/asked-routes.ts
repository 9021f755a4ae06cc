/** Routes of the console, asked without a server. @module */
import assert from 'node:assert/strict'
import type { RawRequest, RawResponse } from '../../src/wire/request.ts'
import { answerRoute, matchRoute, ownNames, routeTable, type Route } from '../../src/wire/routes.ts'

export type Asking = (
  changes: Partial<RawRequest> & Pick<RawRequest, 'target'>,
) => Promise<RawResponse>

/** Asks them as a request to `localhost:4599` is routed. */
export function asking(routes: readonly Route[]): Asking {
  const table = routeTable(routes)
  return async (changes) => {
    const request: RawRequest = {
      listener: 'public',
      method: 'GET',
      rawHeaders: ['Host', 'localhost:4599'],
      body: Buffer.alloc(0),
      remoteAddress: '127.0.0.1',
      secure: true,
      signal: new AbortController().signal,
      ...changes,
    }
    const match = matchRoute(table, request)
    if (match.to === 'refusal') return match.response
    assert.equal(match.to, 'route')
    return answerRoute(match.route, ownNames('127.0.0.1', 4599), request)
  }
}
