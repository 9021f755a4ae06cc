/**
 * Reads `postgres://user:password@host1:5432,host2/name?sslrootcert=/path`. The driver accepts one
 * host only, so the list of hosts is read here.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 * @module
 */
import { isLoopback } from '../../model/address.ts'

export interface DatabaseHost {
  /** A name, an address, or the folder of a Unix socket, which starts with `/`. */
  readonly host: string
  readonly port: number
}

export interface DatabaseAddress {
  readonly hosts: readonly DatabaseHost[]
  readonly database: string
  readonly user: string
  readonly password?: string
  /** Paths of PEM files. They are read for each new connection, so that they can be replaced. */
  readonly files: {
    /** The certificates that may sign the server's. Without it, those of Node.js. */
    readonly sslrootcert?: string
    readonly sslcert?: string
    readonly sslkey?: string
  }
  /** False only if all hosts are on this machine. */
  readonly tls: boolean
}

/** The URL of the database is wrong. The message quotes no password. */
export class DatabaseUrlWrong extends Error {}

const files = ['sslrootcert', 'sslcert', 'sslkey'] as const
const form = 'postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE'
const defaultPort = 5432

/** @throws {DatabaseUrlWrong} */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const found = /^postgres(?:ql)?:\/\/([^/?#]*)\/([^/?#]+)(?:\?([^#]*))?$/.exec(url)
  if (found === null) throw new DatabaseUrlWrong(`must have the form ${form}`)
  const [, authority = '', database = '', query = ''] = found
  const at = authority.lastIndexOf('@')
  const [user = '', password, ...more] = authority.slice(0, Math.max(at, 0)).split(':')
  if (user === '') throw new DatabaseUrlWrong('must name a user')
  if (more.length > 0) throw new DatabaseUrlWrong('must write `:` in a password as %3A')
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map(parseHost)
  const options = parseOptions(query)
  return {
    hosts,
    database: decoded(database),
    user: decoded(user),
    ...(password !== undefined && { password: decoded(password) }),
    files: Object.fromEntries([...options].filter(([name]) => name !== 'sslmode')),
    tls: usesTls(hosts, options.get('sslmode')),
  }
}

function parseHost(text: string): DatabaseHost {
  const found = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const host = found?.[1] ?? decoded(found?.[2] ?? '')
  const port = Number(found?.[3] ?? defaultPort)
  if (host === '' || port < 1 || port > 65_535) {
    throw new DatabaseUrlWrong('must name each host as HOST or HOST:PORT, separated by commas')
  }
  return { host, port }
}

function parseOptions(query: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    const isKnown = name === 'sslmode' || files.some((file) => file === name)
    if (!isKnown || options.has(name)) {
      throw new DatabaseUrlWrong(
        `has an unknown or repeated option: known are sslmode, ${files.join(', ')}`,
      )
    }
    options.set(name, value)
  }
  if (options.has('sslcert') !== options.has('sslkey')) {
    throw new DatabaseUrlWrong('must have both sslcert and sslkey, or neither')
  }
  return options
}

/** Weaker modes of TLS than `verify-full` do not tell an attacker's server from the right one. */
function usesTls(hosts: readonly DatabaseHost[], mode: string | undefined): boolean {
  const isLocal = hosts.every(({ host }) => host.startsWith('/') || isLoopback(host))
  if (mode === undefined) return !isLocal
  if (mode === 'verify-full') return true
  if (mode !== 'disable') {
    throw new DatabaseUrlWrong('must have sslmode=verify-full: weaker modes check no host name')
  }
  if (!isLocal) throw new DatabaseUrlWrong('has sslmode=disable, but a host of another machine')
  return false
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new DatabaseUrlWrong('has a wrong percent encoding')
  }
}
