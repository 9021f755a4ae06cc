/**
 * The process that runs one PostgreSQL server for all test files. A test file connects to its
 * socket and stays connected; the process ends when nobody needs it any more.
 *
 * Arguments: the name of the socket, and the version.
 * @module
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { installedPostgres } from './postgres-binaries.ts'
import { startPostgres } from './postgres-server.ts'
import { asSuperuser } from './superuser.ts'

/** How long the process waits for the next test file of a run that goes on. */
const idleMaxMs = 60_000
const [, , name = '', version = ''] = process.argv
const prefix = `trent-postgres-${name}-`
const clients = new Set<Socket>()
/** The runs of test files that were here: the processes that started them. */
const runs = new Set<number>()

const starting = Promise.withResolvers<string>()
const server = createServer((client) => {
  clients.add(client)
  client.on('error', () => {})
  client.on('close', () => {
    clients.delete(client)
    idleSince = performance.now()
  })
  createInterface({ input: client }).once('line', (line) => {
    runs.add(Number(line))
    starting.promise.then(
      (folder) => client.write(`${folder}\n`),
      (error: unknown) => client.end(`! ${String(error)}\n`),
    )
  })
})
// If another process has the name, the test file that started this one connects to that one.
server.on('error', () => process.exit(0))
server.listen(`\0${name}`, () => void begin())
let idleSince = performance.now()

async function begin(): Promise<void> {
  removeStale()
  const binaries = installedPostgres().find((each) => String(each.version) === version)
  if (binaries === undefined) return finish(new Error(`no PostgreSQL ${version}`))
  try {
    const postgres = await startPostgres(binaries, { prefix })
    const { port, password, superuser, folder } = postgres
    const told = join(dirname(folder), 'connection.json')
    const address = { port, password, superuser }
    await asSuperuser(address, 'postgres', `CREATE ROLE trent LOGIN PASSWORD '${password}'`)
    writeFileSync(told, JSON.stringify(address), { mode: 0o600 })
    starting.resolve(told)
    // It also removes the folder of a server that ended by itself.
    const end = (): void => void postgres.stop().then(() => process.exit(0))
    process.on('SIGTERM', end)
    postgres.process.on('exit', end)
    setInterval(() => {
      if (!isNeeded()) {
        server.close()
        end()
      }
    }, 250)
  } catch (error) {
    finish(error)
  }
}

function finish(error: unknown): void {
  starting.reject(error)
  setTimeout(() => process.exit(1), 1000)
}

function isNeeded(): boolean {
  if (clients.size > 0) return true
  const idle = performance.now() - idleSince
  // The test file that started this process needs a moment to connect.
  if (runs.size === 0) return idle < 10_000
  return idle < idleMaxMs && [...runs].some(isAlive)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Ends servers of a process like this one that was killed, and removes their folders. */
function removeStale(): void {
  for (const found of readdirSync(tmpdir())) {
    if (!found.startsWith(prefix)) continue
    const folder = join(tmpdir(), found)
    const pidFile = join(folder, 'data', 'postmaster.pid')
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0
    if (pid > 0 && worksIn(pid, join(folder, 'data'))) process.kill(pid, 'SIGQUIT')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder
  } catch {
    return false
  }
}
