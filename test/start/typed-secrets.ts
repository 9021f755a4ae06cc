/** A command of `trent` on a terminal that a test types on. @module */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { main, type Settings } from './serve-process.ts'

/** Why tests that type are skipped; undefined if `script` of util-linux can give a command a terminal. */
export const noTerminal =
  spawnSync('script', ['--version']).status === 0
    ? undefined
    : 'there is no `script` to make a terminal'

export interface Typed {
  readonly code: number | null
  /** All that was on the terminal. */
  readonly shown: string
}

const question = /(?:are given\)|passphrase): /g
const interrupt = '\x03'

/**
 * Types the next secret each time the command asks for one. None of them may be shown.
 * @param asked called before each of them is typed
 */
export async function typed(
  t: TestContext,
  parameters: readonly string[],
  secrets: readonly string[],
  settings: Settings,
  cwd: string,
  asked: () => void = () => undefined,
): Promise<Typed> {
  const words = [process.execPath, main, ...parameters].map((word) => `'${word}'`)
  const child = spawn('script', ['-qefc', `exec ${words.join(' ')}`, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, ...settings },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let shown = ''
  let answered = 0
  child.stdin.on('error', () => undefined) // it has ended
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    const questions = shown.match(question)?.length ?? 0
    for (; answered < questions; answered += 1) {
      const secret = secrets[answered]
      asked()
      // A key and a backspace come before it.
      child.stdin.write(secret === undefined ? interrupt : `x\x7f${secret}\r`)
    }
  })
  const [code] = (await once(child, 'close')) as [number | null]
  for (const secret of secrets) assert.ok(!shown.includes(secret.slice(-20)), 'a secret was shown')
  return { code, shown }
}
