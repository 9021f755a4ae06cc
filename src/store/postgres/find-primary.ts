/** Connects to the one host of the list that is the primary. @module */
import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { Client } from 'pg'
import type { DatabaseAddress, DatabaseHost } from './database-url.ts'
import { DatabaseUnreachable, messageOf } from './postgres-failure.ts'
import { parserOf } from './postgres-values.ts'

/** The versions that the tests know. */
const versions = { first: 14, last: 18 } as const
const keepAliveMs = 10_000

export interface ConnectionLimits {
  /** Per host, from the connection to the answer that it is the primary. */
  readonly connectMaxMs: number
  readonly statementMaxMs: number
  /** How long a statement may wait for a row that another transaction has locked. */
  readonly lockMaxMs: number
  /** How long an open transaction may send nothing. */
  readonly leaseMs: number
}

export interface PrimaryConnection {
  readonly client: Client
  /** The driver's socket, which carries TLS if there is any. Destroying it ends the connection. */
  readonly socket: Socket
}

/**
 * Tries each host, and asks each whether it is a standby.
 * @throws {DatabaseUnreachable} whose message names each host and what was wrong with it
 */
export async function connectToPrimary(
  address: DatabaseAddress,
  limits: ConnectionLimits,
): Promise<PrimaryConnection> {
  const failures: string[] = []
  for (const host of address.hosts) {
    try {
      return await connectTo(host, address, limits)
    } catch (error) {
      failures.push(`${nameOf(host)}: ${messageOf(error)}`)
    }
  }
  throw new DatabaseUnreachable(`no primary could be reached: ${failures.join('; ')}`)
}

async function connectTo(
  { host, port }: DatabaseHost,
  address: DatabaseAddress,
  limits: ConnectionLimits,
): Promise<PrimaryConnection> {
  const { user, database, password } = address
  const socket = new Socket()
  const client = new Client({
    stream: () => socket,
    host,
    port,
    user,
    database,
    // The driver looks elsewhere for a password only if there is none.
    password: password ?? '',
    ssl: address.tls ? certificates(address) : false,
    enableChannelBinding: true,
    // Writes that nobody waits for go out with the statement after them.
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    connectionTimeoutMillis: limits.connectMaxMs,
    application_name: 'trent',
    options: sessionOptions(limits),
    types: { getTypeParser: parserOf },
  })
  // A connection that breaks while it is idle must not end the process.
  client.on('error', () => {})
  const late = setTimeout(() => socket.destroy(), limits.connectMaxMs)
  try {
    await client.connect()
    const { rows } = await client.query<State>(
      `SELECT pg_is_in_recovery() AS standby, current_setting('server_version_num')::int AS version,
         current_setting('server_encoding') AS encoding`,
    )
    requireUsable(rows[0])
    return { client, socket }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(late)
  }
}

interface State {
  readonly standby: boolean
  readonly version: number
  readonly encoding: string
}

function requireUsable(state: State | undefined): asserts state is State {
  if (state?.standby !== false) throw new Error('it is a standby')
  const version = Math.floor(state.version / 10_000)
  if (version < versions.first || version > versions.last) {
    throw new Error(
      `it runs PostgreSQL ${version}: Trent supports ${versions.first} to ${versions.last}`,
    )
  }
  if (state.encoding !== 'UTF8') throw new Error(`its encoding is ${state.encoding}, not UTF8`)
}

function certificates({ files }: DatabaseAddress): Readonly<Record<string, string | boolean>> {
  const { sslrootcert, sslcert, sslkey } = files
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(sslrootcert !== undefined && { ca: readFileSync(sslrootcert, 'utf8') }),
    ...(sslcert !== undefined && { cert: readFileSync(sslcert, 'utf8') }),
    ...(sslkey !== undefined && { key: readFileSync(sslkey, 'utf8') }),
  }
}

/**
 * Settings of the session. They override those that an administrator gave the role or the
 * database: without warnings, for example, a COMMIT that may be lost would look like any other.
 */
function sessionOptions({ statementMaxMs, lockMaxMs, leaseMs }: ConnectionLimits): string {
  const settings = {
    synchronous_commit: 'on',
    client_min_messages: 'warning',
    default_transaction_isolation: 'read\\ committed',
    default_transaction_read_only: 'off',
    default_transaction_deferrable: 'off',
    // A relation of another schema, or a temporary one, must not stand before one of ours.
    search_path: 'public,pg_temp',
    bytea_output: 'hex',
    TimeZone: 'UTC',
    statement_timeout: statementMaxMs,
    lock_timeout: lockMaxMs,
    idle_in_transaction_session_timeout: leaseMs,
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

function nameOf({ host, port }: DatabaseHost): string {
  return host.startsWith('/') ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
}
