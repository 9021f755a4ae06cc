/** A thread for tests of links: it answers, asks the starting thread, and ends itself on request. @module */
import { serveThread } from '../../src/threads/thread.ts'

export type Asked = {
  readonly data: readonly [undefined, string]
  readonly back: readonly [number, number]
  readonly die: readonly [undefined, void]
  readonly hang: readonly [undefined, void]
}
export type AskedBack = { readonly more: readonly [number, number] }

serveThread<string, Asked, AskedBack>((data, link) => ({
  data: () => data,
  back: (given) => link.ask('more', given),
  die() {
    setImmediate(() => {
      throw new Error('a bug')
    })
    return new Promise<never>(() => undefined)
  },
  hang: () => new Promise<never>(() => undefined),
}))
