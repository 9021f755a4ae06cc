/** Starts and stops the servers that are measured: Trent and the floor. @module */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const accountId = '111122223333'
export const region = 'us-west-2'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export const root: Credentials = {
  accessKeyId: 'bench',
  secretAccessKey: randomBytes(24).toString('hex'),
}

export interface Server {
  readonly pid: number
  readonly port: number
  readonly stop: () => Promise<void>
}

export interface Floor extends Server {
  /** Sets the size of the answers' bodies. */
  readonly answer: (bytes: number) => Promise<void>
}

/** Children that run, and directories that were made. Neither outlives this process, whatever ends it. */
const running = new Set<ChildProcess>()
const directories: string[] = []
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const each of directories) rmSync(each, { recursive: true, force: true, maxRetries: 10 })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/** A directory for this run. */
export function makeDirectory(above = tmpdir()): string {
  const made = mkdtempSync(join(above, 'trent-bench-'))
  directories.push(made)
  return made
}

/** @param settings in addition to those that every run has, `TRENT_…` */
export function startTrent(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  const checkout = join(import.meta.dirname, '..')
  const cache = ['--import', join(checkout, 'scripts', 'compile-cache.mjs')]
  const script = join(checkout, 'src', 'main.ts')
  const command = [process.execPath, ...cache, ...nodeOptions, script, 'serve'] as const
  return startProgram(command, directory, settings)
}

/** Starts Trent by a command. */
export function startProgram(
  [program, ...given]: readonly [string, ...string[]],
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = spawn(program, given, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // No settings file of the checkout.
    cwd: join(directory, '..'),
    env: {
      PATH: process.env['PATH'],
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: directory,
      TRENT_ACCOUNT_ID: accountId,
      TRENT_ROOT_ACCESS_KEY_ID: root.accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
      TRENT_LOG_LEVEL: 'warn',
      ...settings,
    },
  })
  return untilReady(child)
}

export async function startFloor(): Promise<Floor> {
  const child = fork(join(import.meta.dirname, 'floor.ts'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const server = await untilReady(child)
  return {
    ...server,
    async answer(bytes) {
      const ready = once(child, 'message')
      child.send(bytes)
      await ready
    },
  }
}

/** Waits for the line with the server's address. @throws if the process ends first */
async function untilReady(child: ChildProcess): Promise<Server> {
  // A child that ends before it is ready ends its output.
  if (child.stdout === null) throw new Error('the output of the server is not read')
  running.add(child)
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
    if (port === undefined) continue
    child.stdout.resume()
    return serverOf(child, Number(port))
  }
  throw new Error('the server ended before it was ready')
}

/** A process that serves, or soon will. It ends with this process at the latest. */
export function serverOf(child: ChildProcess, port: number): Server {
  running.add(child)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child)
      resolve()
    })
  })
  return {
    pid: child.pid ?? 0,
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await ended
    },
  }
}
