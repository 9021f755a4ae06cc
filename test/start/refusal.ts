/** A start that is refused: the line that it says, and the files that it must leave as they were. @module */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort, trent, type Settings } from './serve-process.ts'

/** Starts, and answers the one line that was all it said. */
export async function refusal(
  t: TestContext,
  folder: string,
  settings: Settings,
  parameters: readonly string[] = ['serve'],
): Promise<string> {
  const running = trent(t, parameters, { ...freePort(folder), ...settings }, folder)
  // A start that is not refused would serve for ever.
  running.child.stdout?.on('data', () => {
    if (running.stdout().includes('Trent is ready')) running.child.kill('SIGKILL')
  })
  const { code, signal } = await running.ended
  const [stdout, stderr] = [running.stdout(), running.stderr()]
  assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, stderr)
  assert.match(stderr, /^trent: [^\n]+\n$/)
  return stderr.slice('trent: '.length, -1)
}

export function filesOf(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()
}

/** What may never be written over; a file that is not there must not be made either. */
export function treasures(folder: string): Readonly<Record<string, string | undefined>> {
  const read = (name: string): string | undefined => {
    const path = join(folder, 'data', name)
    if (!existsSync(path)) return undefined
    return `${statSync(path).mode.toString(8)} ${hash('sha256', readFileSync(path))}`
  }
  return { seal: read('seal.key'), credentials: read('credentials'), database: read('trent.db') }
}
