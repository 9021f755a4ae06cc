/** `trent certificate`: a local authority, a server's certificate, and the lines that use them. @module */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { ConfigError } from '../config.ts'
import { replaceFile } from '../disk/durable.ts'
import { nodeFiles } from '../disk/files.ts'
import { processTime } from '../jobs/clock.ts'
import { makeAuthority, makeServerCertificate, type MadePair } from '../tls/make.ts'
import { printed } from './printed.ts'
import { quoted } from './shell-quoting.ts'

interface MadeFiles {
  readonly names: readonly string[]
  /** ISO 8601, UTC. */
  readonly expiresAt: string
  readonly certificate: string
  readonly key: string
  readonly authority: string
  /** Whether this call made the authority. */
  readonly isNewAuthority: boolean
}

const namesMax = 32
const dayMs = 86_400_000
/** Apple's systems refuse certificates of local authorities that are valid for longer. */
const daysMax = 825

export async function certificate(options: {
  readonly directory: string
  readonly name?: readonly string[]
  readonly days: string
  readonly json?: true
}): Promise<void> {
  await printed(options, async () => {
    const days = /^\d{1,3}$/.test(options.days) ? Number(options.days) : 0
    if (days < 1 || days > daysMax) {
      throw new ConfigError(`--days must be a whole number from 1 to ${daysMax}`)
    }
    const made = await makeFiles(resolve(options.directory), namesOf(options.name ?? []), days)
    return [made, lines]
  })
}

/** The names of this machine's own clients come last. */
function namesOf(given: readonly string[]): readonly string[] {
  for (const name of given) {
    const isName = /^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i.test(name)
    const isAddress = isIP(name) !== 0 && !name.includes('%')
    if (isAddress || (isName && !name.includes('..'))) continue
    throw new ConfigError(`--name: \`${name}\` is not a DNS name or an IP address`)
  }
  const names = [...new Set([...given, 'localhost', '127.0.0.1', '::1'])]
  if (names.length > namesMax) throw new ConfigError(`--name: more than ${namesMax} names`)
  return names
}

async function makeFiles(
  directory: string,
  names: readonly string[],
  days: number,
): Promise<MadeFiles> {
  const now = processTime.system()
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const path = (name: string): string => join(directory, name)
  const existing = await readAuthority(path('ca.pem'), path('ca.key'), now + days * dayMs)
  const authority = existing ?? (await makeAuthority(now))
  const server = await makeServerCertificate({ authority, names, days, now })
  if (existing === undefined) {
    await write(path('ca.key'), authority.key, 0o600)
    await write(path('ca.pem'), authority.cert, 0o644)
  }
  await write(path('server.key'), server.key, 0o600)
  await write(path('server.pem'), server.cert, 0o644)
  return {
    names,
    expiresAt: new X509Certificate(server.cert).validToDate.toISOString(),
    certificate: path('server.pem'),
    key: path('server.key'),
    authority: path('ca.pem'),
    isNewAuthority: existing === undefined,
  }
}

/** Undefined when there is none. @param until when the new certificate expires */
async function readAuthority(
  certPath: string,
  keyPath: string,
  until: number,
): Promise<MadePair | undefined> {
  const found = [certPath, keyPath].filter((path) => existsSync(path))
  if (found.length === 0) return undefined
  if (found.length === 1) {
    throw new ConfigError(`there is ${found[0]} alone: its other half is missing`)
  }
  const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')])
  const validToDate = endOf(cert, key)
  if (validToDate === undefined) {
    throw new ConfigError(`${certPath} and ${keyPath} are not a certificate and its key`)
  }
  if (validToDate.getTime() < until) {
    throw new ConfigError(
      `the authority ${certPath} expires on ${validToDate.toISOString()}: ` +
        'ask for fewer --days, or move it away for a new one, which every client must get',
    )
  }
  return { cert, key }
}

/** When the certificate expires; undefined unless the key is its own. */
function endOf(cert: string, key: string): Date | undefined {
  try {
    const authority = new X509Certificate(cert)
    return authority.checkPrivateKey(createPrivateKey(key)) ? authority.validToDate : undefined
  } catch {
    return undefined // one of them cannot be read
  }
}

/** Files are made with mode 0600, so a key is at no moment open to others. */
async function write(path: string, text: string, mode: number): Promise<void> {
  await replaceFile(nodeFiles, path, Buffer.from(text))
  await chmod(path, mode)
}

function lines({ names, expiresAt, isNewAuthority, ...made }: MadeFiles): string {
  return [
    `The certificate is for ${names.join(', ')}, until ${expiresAt}.`,
    isNewAuthority ? 'Its authority is new.' : 'Its authority is the one that was there.',
    '',
    'For the server, which uses renewed files without a restart:',
    `  export TRENT_TLS_CERT=${quoted(made.certificate)}`,
    `  export TRENT_TLS_KEY=${quoted(made.key)}`,
    '',
    'For its clients: the AWS CLI and SDKs for Python and Go, then those for JavaScript:',
    `  export AWS_CA_BUNDLE=${quoted(made.authority)}`,
    `  export NODE_EXTRA_CA_CERTS=${quoted(made.authority)}`,
    '',
    'Whoever has ca.key can pass for any server to these clients: keep it off the server.',
    '',
  ].join('\n')
}
