/** One node as a process that is killed, paused, filled up and started again. @module */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Login } from './calls.ts'
import type { Link } from './link.ts'
import { atExit, programOf } from './processes.ts'

const checkout = join(import.meta.dirname, '..', '..')
const program = [
  '--import',
  join(checkout, 'scripts', 'compile-cache.mjs'),
  join(checkout, 'src', 'main.ts'),
]

export const rootLogin: Login = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }

/** The most time for a start, in milliseconds: the database may be away for as long as a failover takes. */
const startMaxMs = 180_000

/** A process that ended without being asked to. */
export interface OwnEnd {
  readonly code: number | null
  readonly text: string
}

export class NodeProcess {
  readonly folder: string
  readonly links: readonly Link[]
  /** Ends of processes that nobody asked for, starts that were refused included. */
  readonly ends: OwnEnd[] = []
  /** How long each start took that succeeded. */
  readonly startsMs: number[] = []
  /** The Node.js that runs it. */
  nodejs = process.execPath
  readonly #settings: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #url: string | undefined
  #wanted = false
  #tail = ''

  constructor(folder: string, links: readonly Link[], settings: Readonly<Record<string, string>>) {
    this.folder = folder
    this.links = links
    this.#settings = settings
    atExit(() => this.#child?.kill('SIGKILL'))
  }

  /** Undefined while it does not run. */
  get url(): string | undefined {
    return this.#url
  }

  /** The path of the program that runs; undefined while none does. */
  get program(): string | undefined {
    return programOf(this.#child?.pid)
  }

  /** The file that takes what it logs. It is not on its disk, which may be full. */
  get log(): string {
    return `${this.folder}.log`
  }

  get journal(): string {
    return join(this.folder, 'data', 'journal')
  }

  get environment(): Readonly<Record<string, string>> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      TRENT_LISTEN: '127.0.0.1:0',
      TRENT_DATA_DIR: join(this.folder, 'data'),
      TRENT_ACCOUNT_ID: '111122223333',
      TRENT_ROOT_ACCESS_KEY_ID: rootLogin.accessKeyId,
      TRENT_ROOT_SECRET_ACCESS_KEY: rootLogin.secretAccessKey,
      TRENT_TEST_API: 'on',
      // Otherwise one record counts many refused calls, and each is judged by a record of its own.
      TRENT_QUOTA_OVERRIDES: 'RefusedCalls=1000',
      ...this.#settings,
    }
  }

  /** Starts it, and again whenever it ends by itself, until it is asked to end. */
  async start(): Promise<void> {
    this.#wanted = true
    const giveUpAt = performance.now() + startMaxMs
    while (this.#wanted && this.#child === undefined) {
      const since = performance.now()
      if (await this.#startOnce()) {
        this.startsMs.push(Math.round(performance.now() - since))
        return
      }
      if (performance.now() > giveUpAt) throw new Error(`a node does not start: ${this.#tail}`)
      await sleep(500)
    }
  }

  kill(): void {
    this.#wanted = false
    this.#child?.kill('SIGKILL')
  }

  /** Kills it, and waits for the end. */
  async killed(): Promise<void> {
    const child = this.#child
    this.kill()
    if (child !== undefined) await ended(child)
  }

  /** @returns how it ended; undefined if it did not run */
  async terminate(): Promise<number | null | undefined> {
    this.#wanted = false
    const child = this.#child
    if (child === undefined) return undefined
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
    await ended(child)
    clearTimeout(late)
    return child.exitCode
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Moves the clock by which it decides. Zero is the time of the system. */
  async skew(ms: number): Promise<void> {
    if (this.#url === undefined) return
    const set = new Date(Date.now() + ms).toISOString()
    await fetch(`${this.#url}/_trent/test/clock`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ set }),
      signal: AbortSignal.timeout(5000),
    }).catch(() => undefined)
  }

  /** Takes all room of its disk. */
  fillDisk(): void {
    const { bavail, bsize } = statfsSync(this.folder)
    const ballast = join(this.folder, 'ballast')
    try {
      execFileSync('fallocate', ['-l', String(bavail * bsize), ballast], { stdio: 'ignore' })
    } catch {
      // The node was faster, and has taken some of the room.
    }
    try {
      for (;;) appendFileSync(ballast, Buffer.alloc(4096))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }

  emptyDisk(): void {
    rmSync(join(this.folder, 'ballast'), { force: true })
  }

  async readiness(): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (this.#url === undefined) return undefined
    try {
      const answer = await fetch(`${this.#url}/readyz`, { signal: AbortSignal.timeout(3000) })
      return (await answer.json()) as Readonly<Record<string, unknown>>
    } catch {
      return undefined
    }
  }

  /** What it has logged last. */
  get tail(): string {
    return this.#tail
  }

  /** @returns whether it serves */
  async #startOnce(): Promise<boolean> {
    const child = spawn(this.nodejs, [...program, 'serve'], {
      cwd: this.folder,
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#tail = ''
    const serving = Promise.withResolvers<boolean>()
    const late = setTimeout(() => child.kill('SIGKILL'), startMaxMs)
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = `${output}${text}`.slice(-5000)
      const [, url] = /^Trent is ready on (http:\/\/127\.0\.0\.1:\d+):/m.exec(output) ?? []
      if (url === undefined || this.#url !== undefined) return
      this.#url = url
      clearTimeout(late)
      serving.resolve(true)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#tail = `${this.#tail}${text}`.slice(-8000)
      appendFileSync(this.log, text)
    })
    child.on('close', (code: number | null) => {
      clearTimeout(late)
      const served = this.#url !== undefined
      this.#url = undefined
      this.#child = undefined
      serving.resolve(false)
      if (!this.#wanted) return
      this.ends.push({ code, text: this.#tail.slice(-1500) })
      // A node that stays away is found when the test waits for all of them.
      if (served) void sleep(500).then(() => this.start().catch(() => undefined))
    })
    return await serving.promise
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
}
