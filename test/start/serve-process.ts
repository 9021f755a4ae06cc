/** `trent` as a process of its own, for tests of how it starts, stops and dies. @module */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export const root = join(import.meta.dirname, '..', '..')
export const main = join(root, 'src', 'main.ts')

export type Settings = Readonly<Record<string, string>>

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<Ended>
}

export interface Serving extends Running {
  readonly url: string
  readonly port: number
}

/** A folder that goes with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'trent-start-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs a program with Trent's settings and no other environment; it does not outlive the test. */
export function run(
  t: TestContext,
  command: readonly [string, ...string[]],
  settings: Settings,
  cwd: string,
): Running {
  const [program, ...parameters] = command
  const child = spawn(program, parameters, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code, signal]): Ended => ({
    code: code as Ended['code'],
    signal: signal as Ended['signal'],
  }))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Runs `trent` with these arguments. */
export function trent(
  t: TestContext,
  parameters: readonly string[],
  settings: Settings,
  cwd: string,
): Running {
  return run(t, [process.execPath, main, ...parameters], settings, cwd)
}

/** Runs `trent` to its end. */
export async function trentEnded(
  t: TestContext,
  parameters: readonly string[],
  settings: Settings,
  cwd: string,
): Promise<Ended & { readonly stdout: string; readonly stderr: string }> {
  const running = trent(t, parameters, settings, cwd)
  return { ...(await running.ended), stdout: running.stdout(), stderr: running.stderr() }
}

/** Waits for the ready line. @throws when the process ends before it */
export async function ready(running: Running): Promise<Serving> {
  const { child, stdout, stderr, ended } = running
  const found = (): RegExpExecArray | null =>
    /^Trent is ready on (https?:\/\/127\.0\.0\.1:(\d+)): .*$/m.exec(stdout())
  const seen = Promise.withResolvers<undefined>()
  const look = (): void => {
    if (found() !== null) seen.resolve(undefined)
  }
  child.stdout?.on('data', look)
  look()
  const death = await Promise.race([seen.promise, ended])
  if (death !== undefined && found() === null) {
    throw new Error(`ended with ${death.code ?? death.signal}: ${stderr()}`)
  }
  const [, url = '', port = ''] = found() ?? []
  return { ...running, url, port: Number(port) }
}

/** Starts `trent serve` on a free port, and waits until it is ready. */
export function serve(t: TestContext, folder: string, settings: Settings = {}): Promise<Serving> {
  return ready(trent(t, ['serve'], { ...freePort(folder), ...settings }, folder))
}

/** The settings of a server on any free port, with its data in `folder/data`. */
export function freePort(folder: string): Settings {
  return { TRENT_LISTEN: '127.0.0.1:0', TRENT_DATA_DIR: join(folder, 'data') }
}

/** Ends a process by a signal and answers how it ended. */
export function end(running: Running, signal: NodeJS.Signals): Promise<Ended> {
  running.child.kill(signal)
  return running.ended
}

/** npm scripts install when the lock file is another: never under tests that are running. */
export function requireInstalled(): void {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const stamp = readFileSync(join(root, 'node_modules', '.trent-lock'), 'utf8')
  const wanted = createHash('sha256').update(lock).digest('hex')
  assert.equal(stamp, wanted, 'run `node scripts/prepare.mjs` before the tests')
}
