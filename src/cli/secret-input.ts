/**
 * Reads a passphrase or a share, never from the command's arguments: those are visible to other users and
 * end in a shell's history. It comes from a terminal without echo, from standard input, or from a file
 * that only its owner can read.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import { codeOf } from '../disk/error-code.ts'
import { visible } from '../model/visible.ts'
import type { Progress, Seal } from '../seals/seal.ts'

/** Returns UTF-8. The caller overwrites it. `shown` is the text before the cursor. */
export type AskSecret = (shown: string) => Promise<Buffer>

const bytesMax = 4096
const key = { interrupt: 3, end: 4, backspace: 8, newline: 10, return: 13, delete: 127 } as const

/**
 * @param file instead of the terminal; `-` is standard input
 * @throws {ConfigError} one line; nothing of the secret is in it
 */
export async function readSecret(shown: string, file?: string): Promise<Buffer> {
  if (file !== undefined && file !== '-') return fromFile(file)
  if (file === undefined && process.stdin.isTTY) return fromTerminal(shown)
  return fromDescriptor(0, 'standard input')
}

/** Asks twice on a terminal, because nobody sees what is typed. @throws {ConfigError} */
export async function readNewPassphrase(file?: string): Promise<Buffer> {
  const first = await readSecret('new passphrase: ', file)
  if (file !== undefined || !process.stdin.isTTY) return first
  const second = await readSecret('the same again: ')
  const same = first.equals(second)
  second.fill(0)
  if (same) return first
  first.fill(0)
  throw new ConfigError('the two passphrases differ')
}

/** What a person is asked for next. */
export function askedFor({ asks, set, given = [], needed }: Progress): string {
  if (asks === 'passphrase') return 'passphrase: '
  return `share of set ${set ?? ''} (${given.length} of ${needed ?? '?'} are given): `
}

/**
 * Opens a sealed root key with what people give, one secret at a time.
 * @throws {SealRefused} @throws {SealUnavailable}
 */
export async function openSealed(
  seal: Seal,
  record: Uint8Array,
  deploymentId: string,
  askSecret: AskSecret,
): Promise<KeyObject> {
  const opening = seal.open(record, deploymentId)
  const give = async (): Promise<KeyObject | undefined> =>
    seal.asks === 'nothing'
      ? opening.give()
      : opening.give(await askSecret(askedFor(opening.progress())))
  let rootKey = await give()
  while (rootKey === undefined) rootKey = await give()
  return rootKey
}

function fromFile(path: string): Buffer {
  let descriptor: number | undefined
  try {
    // Without O_NONBLOCK, a pipe of that name would block for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    descriptor = openSync(path, flags)
    const { mode, uid } = fstatSync(descriptor)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || (mode & 0o077) !== 0) {
      throw new ConfigError(`${path} must be a file that only you can read: chmod 600 it`)
    }
    if (uid !== process.geteuid?.()) throw new ConfigError(`${path} belongs to another user`)
    return fromDescriptor(descriptor, path)
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const why = codeOf(cause) ?? 'unknown'
    throw new ConfigError(`${path} cannot be read: ${why}`, { cause })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Reads to the end, and takes the first line. */
function fromDescriptor(descriptor: number, name: string): Buffer {
  const bytes = Buffer.alloc(bytesMax + 1)
  try {
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    if (length > bytesMax) throw new ConfigError(`${name} has more than ${bytesMax} bytes`)
    const end = bytes.subarray(0, length).indexOf('\n')
    const line = bytes.subarray(0, end === -1 ? length : end)
    const returned = line.at(-1) === key.return ? line.subarray(0, -1) : line
    if (returned.length === 0) throw new ConfigError(`${name} holds no secret`)
    return Buffer.from(returned)
  } finally {
    bytes.fill(0)
  }
}

function fromTerminal(shown: string): Promise<Buffer> {
  const { stdin, stderr } = process
  const typed = Buffer.alloc(bytesMax)
  let length = 0
  // Whoever is quick must not see what they type.
  stdin.setRawMode(true)
  // A server at another machine may have named what it asks for.
  stderr.write(visible(shown))
  return new Promise((resolve, reject) => {
    const end = (failure?: string): void => {
      stdin.off('data', take).pause()
      stdin.setRawMode(false)
      stderr.write('\n')
      const secret = Buffer.from(typed.subarray(0, length))
      typed.fill(0)
      if (failure !== undefined) reject(new ConfigError(failure))
      else if (length === 0) reject(new ConfigError('nothing was typed'))
      else resolve(secret)
    }
    const take = (chunk: Buffer): void => {
      for (const byte of chunk) {
        if (byte === key.return || byte === key.newline) return end()
        if (byte === key.interrupt || byte === key.end) return end('nothing was given')
        if (byte === key.backspace || byte === key.delete) length = withoutLast(typed, length)
        else if (length === bytesMax) return end(`more than ${bytesMax} bytes were typed`)
        else typed[length++] = byte
      }
      return undefined
    }
    stdin.on('data', take).resume()
  })
}

/** The length without the last character, which has several bytes in UTF-8. */
function withoutLast(typed: Uint8Array, length: number): number {
  let end = length - 1
  while (end > 0 && ((typed[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return Math.max(end, 0)
}
