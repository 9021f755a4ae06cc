/**
 * Reads and checks the files of TLS. Whatever is wrong with them is one line for the operator, before a
 * client sees it.
 * @module
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { isPrivate } from '../disk/private.ts'
import { tlsOptions, type TlsFiles } from '../wire/tls.ts'
import { publicTls, type TlsPaths, type TlsSettingNames } from './setting.ts'

/** A file of TLS cannot be used. The message names its setting and its path. */
export class TlsRefused extends Error {}

export interface CheckedTls {
  readonly files: TlsFiles
  /** When the first certificate of the chain expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A chain has a few kilobytes. A bundle of every public authority has about 250. */
const fileBytesMax = 1024 * 1024

/**
 * @param now milliseconds since the epoch
 * @throws {TlsRefused}
 */
export async function readTls(paths: TlsPaths, now: number): Promise<CheckedTls> {
  const { settings: names = publicTls } = paths
  const cert = await readText(names.cert, paths.cert)
  const chain = certificatesOf(names.cert, paths.cert, cert)
  for (const each of chain) requireValid(names, each, paths.cert, now)
  const key = await readFile(names.key, paths.key, requirePrivate)
  if (chain[0]?.checkPrivateKey(keyOf(names, paths.key, key)) !== true) {
    throw new TlsRefused(
      `${names.key}: ${paths.key} is not the key of the first certificate in ${paths.cert}`,
    )
  }
  const clientCa =
    paths.clientCa === undefined ? undefined : await readAuthorities(names, paths.clientCa)
  const files = { cert, key, ...(clientCa !== undefined && { clientCa }) }
  requireUsable(files, paths)
  return { files, expiresAt: Math.min(...chain.map(({ validToDate }) => validToDate.getTime())) }
}

async function readAuthorities(
  { clientCa: setting }: TlsSettingNames,
  path: string,
): Promise<string> {
  const text = await readText(setting, path)
  for (const { ca, subject } of certificatesOf(setting, path, text)) {
    if (ca) continue
    const name = subject.replaceAll('\n', ', ')
    throw new TlsRefused(`${setting}: ${path} holds ${name}, which is no authority`)
  }
  return text
}

async function readText(setting: string, path: string): Promise<string> {
  return (await readFile(setting, path)).toString('utf8')
}

interface Owned {
  readonly mode: number
  readonly uid: number
}

async function readFile(
  setting: string,
  path: string,
  check: (owned: Owned, path: string, setting: string) => void = () => undefined,
): Promise<Buffer> {
  // Without O_NONBLOCK, a pipe of that name would block the start forever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'is missing' : `cannot be read (${cause.code})`
      throw new TlsRefused(`${setting}: ${path} ${why}`, { cause })
    },
  )
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new TlsRefused(`${setting}: ${path} is not a file`)
    if (stats.size > fileBytesMax) throw new TlsRefused(`${setting}: ${path} is larger than 1 MiB`)
    check(stats, path, setting)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function requirePrivate(owned: Owned, path: string, setting: string): void {
  if (isPrivate(owned)) return
  throw new TlsRefused(`${setting}: ${path} is open to other users: chmod 600 it`)
}

const wholeBlock = /-----BEGIN ([A-Z0-9 ]+)-----(?:(?!-----BEGIN )[^])*?-----END \1-----/g
/** Of a file that is half written, for example. */
const partOfBlock = /-----(?:BEGIN|END) |-----[A-Z0-9 ]*$/

function certificatesOf(setting: string, path: string, text: string): readonly X509Certificate[] {
  // OpenSSL takes the authorities before it, and none of those after it.
  if (partOfBlock.test(text.replaceAll(wholeBlock, '').trimEnd())) {
    throw new TlsRefused(`${setting}: ${path} holds a part of a certificate: it is not whole`)
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new TlsRefused(`${setting}: ${path} holds no certificate in PEM`)
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    throw new TlsRefused(`${setting}: ${path} holds a certificate that cannot be read`, { cause })
  }
}

function requireValid(
  { cert: setting }: TlsSettingNames,
  { validFromDate, validToDate }: X509Certificate,
  path: string,
  now: number,
): void {
  if (validToDate.getTime() <= now) {
    throw new TlsRefused(`${setting}: ${path} expired on ${validToDate.toISOString()}`)
  }
  if (validFromDate.getTime() > now) {
    throw new TlsRefused(`${setting}: ${path} is not valid before ${validFromDate.toISOString()}`)
  }
}

function keyOf({ key: setting }: TlsSettingNames, path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    const why = pem.includes('ENCRYPTED')
      ? 'has a passphrase: remove it'
      : 'holds no private key in PEM'
    throw new TlsRefused(`${setting}: ${path} ${why}`, { cause })
  }
}

/** OpenSSL has rules of its own, for example for the length of a key. */
function requireUsable(files: TlsFiles, { cert, settings = publicTls }: TlsPaths): void {
  try {
    createSecureContext(tlsOptions(files))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TlsRefused(`${settings.cert}: ${cert} cannot be used: ${why}`, { cause })
  }
}
