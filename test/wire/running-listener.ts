/**
 * Starts a listener for one test, on a free loopback port, and stops it when the test is over.
 * @module
 */
import type { TestContext } from 'node:test'
import type { Handler } from '../../src/wire/exchange.ts'
import type { ListenLimits } from '../../src/wire/limits.ts'
import type { TlsFiles } from '../../src/wire/tls.ts'
import type { RawRequest, RawResponse } from '../../src/wire/request.ts'
import { listen, type Listener } from '../../src/wire/server.ts'

export interface RunningListener extends Listener {
  /** What reached the handler, in order. */
  readonly seen: readonly RawRequest[]
  /** What was logged. */
  readonly failures: readonly { readonly err: unknown; readonly requestId?: string }[]
}

/** Says `ok` and how long the body was. */
export const okay: Handler = async ({ body }) => answer(`ok ${body.length}`)

export function answer(body: string): RawResponse {
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body }
}

export async function running(
  t: TestContext,
  given: Partial<ListenLimits> & { readonly trustedProxies?: readonly string[] } = {},
  handler: Handler = okay,
  where: { host: string; port: number; tls?: TlsFiles } | { socketPath: string } = {
    host: '127.0.0.1',
    port: 0,
  },
): Promise<RunningListener> {
  const seen: RawRequest[] = []
  const failures: { err: unknown; requestId?: string }[] = []
  const log = { error: (fields: unknown) => void failures.push(fields as { err: unknown }) }
  const { trustedProxies = [], ...limits } = given
  const listener = await listen(
    { ...where, limits: { lingerMs: 200, ...limits }, trustedProxies, log },
    (request) => {
      seen.push(request)
      return handler(request)
    },
  )
  t.after(() => listener.close(0))
  return { ...listener, seen, failures }
}

/** A handler that answers only when told, and shows how many requests have reached it. */
export function gate(): {
  handler: Handler
  open: () => void
  reached: (n: number) => Promise<void>
} {
  let count = 0
  const waiting: { n: number; wake: () => void }[] = []
  const opened = Promise.withResolvers<void>()
  const handler: Handler = async () => {
    count += 1
    for (const { n, wake } of waiting) if (count >= n) wake()
    await opened.promise
    return answer('ok')
  }
  const reached = (n: number): Promise<void> =>
    new Promise((wake) => {
      if (count >= n) wake()
      else waiting.push({ n, wake })
    })
  return { handler, open: opened.resolve, reached }
}
