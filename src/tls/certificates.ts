/**
 * The certificates in use. They are read again when their files change, and when an operator asks. Files
 * that are wrong are refused, and the former ones stay in use.
 * @module
 */
import { stat } from 'node:fs/promises'
import type { TlsFiles } from '../wire/tls.ts'
import { readTls, type CheckedTls } from './read-files.ts'
import type { TlsPaths } from './setting.ts'

export interface Certificates {
  readonly files: () => TlsFiles
  /** From now on, `use` gets every new set of files, for new connections. */
  readonly follow: (use: (files: TlsFiles) => void | Promise<void>) => void
  /** When the first certificate in use expires, in milliseconds since the epoch. */
  readonly expiresAt: () => number
  /** Why the files on disk are not in use; undefined if they are. */
  readonly refused: () => string | undefined
  /** Reads the files again. Never rejects: the outcome is in the log. */
  readonly reload: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Milliseconds between two looks at the files. */
const lookEveryMs = 5_000

/**
 * @throws {TlsRefused} when the files cannot be used now
 */
export async function openCertificates(of: {
  readonly paths: TlsPaths
  /** Milliseconds since the epoch, of the system. */
  readonly now: () => number
  readonly onUsed: (expiresAt: string) => void
  readonly onRefused: (why: string) => void
  readonly lookEveryMs?: number
}): Promise<Certificates> {
  const { paths, now, onUsed, onRefused } = of
  let tried = await stateOf(paths)
  let current = await readTls(paths, now())
  let refused: string | undefined
  const followers: Parameters<Certificates['follow']>[0][] = []
  const read = async (): Promise<void> => {
    tried = await stateOf(paths)
    try {
      const next = await readTls(paths, now())
      if (!isSame(next, current)) {
        for (const use of followers) await use(next.files)
        // Only now: if one of them fails, the next look tries again.
        current = next
        onUsed(new Date(next.expiresAt).toISOString())
      }
      refused = undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      // Files stay wrong for many looks, and that is one line in the log.
      if (why !== refused) onRefused(why)
      refused = why
    }
  }
  let last = Promise.resolve()
  const inTurn = (work: () => Promise<void>): Promise<void> => (last = last.then(work))
  let seen = tried
  const look = async (): Promise<void> => {
    const state = await stateOf(paths)
    // Certificate and key change one after the other: what changed since the last look may be half done.
    const isSettled = state === seen
    seen = state
    if (isSettled && (state !== tried || refused !== undefined)) await read()
  }
  const timer = setInterval(() => void inTurn(look), of.lookEveryMs ?? lookEveryMs).unref()
  return {
    files: () => current.files,
    follow: (use) => void followers.push(use),
    expiresAt: () => current.expiresAt,
    refused: () => refused,
    reload: () => inTurn(read),
    async close() {
      clearInterval(timer)
      await last
    },
  }
}

/** Changes whenever a file is written or replaced, by a rename or a symbolic link too. */
async function stateOf({ cert, key, clientCa }: TlsPaths): Promise<string> {
  const paths = clientCa === undefined ? [cert, key] : [cert, key, clientCa]
  const states = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => undefined)
      return found && [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join()
    }),
  )
  return states.join(' ')
}

function isSame({ files: a }: CheckedTls, { files: b }: CheckedTls): boolean {
  const sameKey = Buffer.compare(a.key, b.key) === 0
  return a.cert === b.cert && sameKey && a.clientCa === b.clientCa
}
