/** Starts a PostgreSQL server of its own in a temporary folder, on loopback. @module */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freeLoopbackPort } from '../../free-port.ts'
import { type PostgresBinaries, unprivilegedUser } from './postgres-binaries.ts'

export interface PostgresServer {
  readonly version: number
  readonly port: number
  /** The data directory. */
  readonly folder: string
  readonly superuser: string
  readonly password: string
  /** The server's process. */
  readonly process: ChildProcess
  /** Ends the server at once and removes its folder. */
  readonly stop: () => Promise<void>
}

export interface PostgresSettings {
  /** The beginning of the temporary folder's name. */
  readonly prefix?: string
  /** Settings of `postgresql.conf`, before the defaults of these tests. */
  readonly configuration?: Readonly<Record<string, string>>
}

export const superuser = 'admin'

/**
 * Nothing here survives a crash, and nothing needs to. Lists are ordered by a language's rules by
 * default, so that a test fails if a column does not ask for byte order.
 */
const configuration = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  shared_buffers: '32MB',
  max_connections: '200',
  log_min_messages: 'error',
} as const

/** The most time for a start, in milliseconds, on a machine with much else to do. */
const startMaxMs = 60_000

export async function startPostgres(
  binaries: PostgresBinaries,
  settings: PostgresSettings = {},
): Promise<PostgresServer> {
  const user = unprivilegedUser()
  const parent = mkdtempSync(join(tmpdir(), settings.prefix ?? 'trent-postgres-'))
  const folder = join(parent, 'data')
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(parent, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (user !== undefined) {
    chownSync(parent, user.uid, user.gid)
    chownSync(passwordFile, user.uid, user.gid)
  }
  try {
    await promisify(execFile)(
      join(binaries.folder, 'initdb'),
      initdbArguments(folder, passwordFile),
      { ...user, cwd: parent },
    )
    const started = await startIn(folder, binaries, settings.configuration ?? {})
    return {
      ...started,
      version: binaries.version,
      folder,
      superuser,
      password,
      async stop() {
        await stopProcess(started.process)
        rmSync(parent, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(parent, { recursive: true, force: true })
    throw error
  }
}

function initdbArguments(folder: string, passwordFile: string): string[] {
  const login = `--username ${superuser} --auth scram-sha-256`
  const order = '--encoding UTF8 --locale C --locale-provider icu --icu-locale en-US'
  const words = `${login} ${order} --no-sync --no-instructions`.split(' ')
  return ['--pgdata', folder, '--pwfile', passwordFile, ...words]
}

/** Starts `postgres` in a data directory that exists. */
export async function startIn(
  folder: string,
  binaries: PostgresBinaries,
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const port = await freeLoopbackPort()
  const given = Object.entries({ ...configuration, ...settings, port: String(port) })
  const server = spawn(
    join(binaries.folder, 'postgres'),
    ['-D', folder, ...given.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...unprivilegedUser(), cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  server.stderr.on('data', (bytes: Buffer) => {
    log = `${log}${bytes.toString()}`.slice(-4000)
  })
  const giveUpAt = performance.now() + startMaxMs
  while (!isReady(folder)) {
    if (server.exitCode !== null || performance.now() > giveUpAt) {
      await stopProcess(server)
      throw new Error(`PostgreSQL did not start: ${log}`)
    }
    await sleep(20)
  }
  return { process: server, port }
}

/** The last line of this file says whether the server accepts connections. */
function isReady(folder: string): boolean {
  try {
    const lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').trimEnd().split('\n')
    return lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

/** Fast shutdown, then immediate shutdown: open transactions are not waited for. */
export async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGINT')
  const late = setTimeout(() => server.kill('SIGQUIT'), 3000)
  await ended
  clearTimeout(late)
}
