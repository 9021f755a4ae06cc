/** The heap of every thread of a server that runs, written to files. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { foundIn, type Secrets } from './memory-search.ts'
import { temporaryFolder, type Running, type Settings } from './serve-process.ts'

export interface ThreadHeaps {
  /** Settings of the server. */
  readonly flags: Settings
  /** Makes every thread write its heap, and waits until these have. */
  readonly write: (running: Running, threads: readonly string[]) => Promise<void>
  /** Fails if a heap that was written has one of the secrets. */
  readonly assertWithout: (secrets: Secrets) => void
}

/** Makes every thread that loads it write its heap, once the file `now` is there. */
const program = (folder: string): string => `
  import { existsSync, renameSync } from 'node:fs'
  import { writeHeapSnapshot } from 'node:v8'
  import { threadId, threadName } from 'node:worker_threads'
  const path = ${JSON.stringify(folder)} + '/' + (threadName || 'main') + ', ' + threadId
  const timer = setInterval(() => {
    if (!existsSync(${JSON.stringify(folder)} + '/now')) return
    clearInterval(timer)
    writeHeapSnapshot(path + '.partial')
    renameSync(path + '.partial', path + '.heap')
  }, 50).unref()
`

export function threadHeaps(t: TestContext): ThreadHeaps {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'heap.mjs'), program(folder))
  const wanted: string[] = []
  const written = (): readonly string[] =>
    readdirSync(folder).filter((name) => name.endsWith('.heap'))
  const heapsOf = (thread: string): readonly string[] =>
    written().filter((name) => name.startsWith(`${thread}, `))
  return {
    flags: { NODE_OPTIONS: `--import=${join(folder, 'heap.mjs')}` },
    async write(running, threads) {
      wanted.push(...threads)
      writeFileSync(join(folder, 'now'), '')
      while (!threads.every((thread) => heapsOf(thread).length > 0)) {
        assert.equal(running.child.exitCode, null)
        await delay(50)
      }
    },
    assertWithout(secrets) {
      const names = wanted.flatMap(heapsOf)
      assert.ok(names.length > 0)
      for (const name of names) {
        const heap = readFileSync(join(folder, name))
        assert.ok(heap.includes('KeyObject'), name)
        assert.deepEqual(foundIn(heap, secrets), [], name)
      }
    },
  }
}
