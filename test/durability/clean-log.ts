/** What a server has logged, for tests in which it must not have failed. @module */
import assert from 'node:assert/strict'
import type { Running } from '../start/serve-process.ts'

/** The server has logged no failure. */
export function assertClean({ stderr }: Pick<Running, 'stderr'>): void {
  const bad = stderr()
    .split('\n')
    .filter((line) => line !== '' && !/^\{"level":[1-4]\d,/.test(line))
  assert.deepEqual(bad, [])
}
