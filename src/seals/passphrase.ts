/**
 * The seal by a passphrase. Argon2id turns the passphrase into the seal's key. The record holds the salt
 * and the costs, so that later versions may raise the costs.
 * @see https://www.rfc-editor.org/rfc/rfc9106
 * @module
 */
import { argon2, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { takeSecretKey } from '../crypto/derive.ts'
import type { Random } from '../model/clock.ts'
import { SealRefused, type Seal, type Wanted } from './seal.ts'
import { damaged, openRecord, readHeader, sealRecord } from './sealed-record.ts'

const kind = 'passphrase'
const saltBytes = 16
export const passphraseCharactersMin = 12
const passphraseBytesMax = 1024

/** The costs of Argon2id. */
export interface Costs {
  readonly memoryKiB: number
  readonly passes: number
  readonly lanes: number
}

/** Twice the memory of RFC 9106's second recommendation: a start pays it only once. */
const usualCosts: Costs = { memoryKiB: 131_072, passes: 3, lanes: 4 }

/**
 * Bounds on the costs in a record, which nothing has proved yet. An attacker who can write the database
 * must not be able to make the server use more memory than this.
 */
const bounds = {
  memoryKiB: [19_456, 1_048_576],
  passes: [1, 16],
  lanes: [1, 16],
} as const

/** @param costs for new records; tests use lower ones */
export function passphraseSeal(random: Random, costs: Costs = usualCosts): Seal {
  return {
    kind,
    asks: 'passphrase',
    startsAlone: false,
    async seal(rootKey, deploymentId, wanted) {
      const salt = random.bytes(saltBytes)
      const key = await keyOf(newPassphrase(wanted), salt, costs)
      const header = { kind, salt: Buffer.from(salt).toString('base64'), ...costs } as const
      return { record: sealRecord(key, header, rootKey, deploymentId, random) }
    },
    requireWanted: (wanted) => void newPassphrase(wanted),
    open(record, deploymentId) {
      const { salt, ...stored } = readCosts(record)
      return {
        progress: () => ({ asks: 'passphrase' }),
        async give(secret) {
          if (secret === undefined || secret.length === 0) throw new SealRefused('no passphrase')
          if (secret.length > passphraseBytesMax) throw wrong()
          return openRecord(await keyOf(secret, salt, stored), record, deploymentId, wrong)
        },
        forget: () => undefined,
      }
    },
  }
}

/** One message whatever the cause: AES-GCM cannot tell a wrong key from changed bytes. */
function wrong(): SealRefused {
  return new SealRefused(
    'the passphrase is wrong, or the record of the sealed root key was changed',
  )
}

function newPassphrase({ passphrase }: Wanted = {}): Uint8Array {
  if (passphrase === undefined) throw new SealRefused('a passphrase is needed')
  const characters = Array.from(Buffer.from(passphrase).toString('utf8')).length
  if (characters < passphraseCharactersMin || passphrase.length > passphraseBytesMax) {
    throw new SealRefused(
      `a passphrase has at least ${passphraseCharactersMin} characters, and at most ` +
        `${passphraseBytesMax} bytes`,
    )
  }
  return passphrase
}

/** Runs in libuv's pool. This is once a start, and at most one attempt at a time. */
async function keyOf(
  passphrase: Uint8Array,
  nonce: Uint8Array,
  { memoryKiB, passes, lanes }: Costs,
): Promise<KeyObject> {
  // Keyboards of different systems send the same letter as different code points.
  const message = Buffer.from(Buffer.from(passphrase).toString('utf8').normalize('NFC'))
  const settings = { message, nonce, parallelism: lanes, tagLength: 32, memory: memoryKiB, passes }
  try {
    return takeSecretKey(await promisify(argon2)('argon2id', settings))
  } finally {
    message.fill(0)
  }
}

function readCosts(record: Uint8Array): Costs & { readonly salt: Buffer } {
  const header = readHeader(record, kind)
  const number = (name: keyof typeof bounds): number => {
    const value = header[name]
    const [min, max] = bounds[name]
    if (typeof value !== 'number' || !Number.isInteger(value)) throw damaged()
    if (value < min || value > max) throw damaged()
    return value
  }
  const { salt } = header
  if (typeof salt !== 'string') throw damaged()
  const bytes = Buffer.from(salt, 'base64')
  if (bytes.length !== saltBytes || bytes.toString('base64') !== salt) throw damaged()
  const costs = {
    memoryKiB: number('memoryKiB'),
    passes: number('passes'),
    lanes: number('lanes'),
  }
  // Argon2 needs at least 8 KiB a lane, which the bounds imply.
  return { ...costs, salt: bytes }
}
