/**
 * The seal by a key in an HSM, which is made in it and never leaves it. The HSM encrypts the seal's key, and
 * the record holds the result. The HSM sees the seal's key, and never the root key.
 * @module
 */
import { isAboutPin, createToken, type Token } from '../pkcs11/token.ts'
import { libraryEnvironment } from '../pkcs11/library-environment.ts'
import type { NamedKey } from '../pkcs11/pkcs11-uri.ts'
import { TokenError } from '../pkcs11/token-error.ts'
import { takeSecretKey } from '../crypto/derive.ts'
import type { Random } from '../model/clock.ts'
import { readPrivateFile } from './private-file.ts'
import { SealRefused, SealStopped, SealUnavailable, unattended, type Seal } from './seal.ts'
import {
  damaged,
  openRecord,
  readHeader,
  sealKeyBytes,
  sealUnderNewKey,
  type Header,
} from './sealed-record.ts'

const kind = 'pkcs11'
const idBytes = 16
const wrappedBytes = 12 + sealKeyBytes + 16
const serialCharactersMax = 64
const pinBytesMax = 256

export interface Pkcs11Key extends NamedKey {
  /** Names of the environment variables that the vendor's library gets. */
  readonly environment: readonly string[]
  /** Milliseconds for one call. */
  readonly callMsMax?: number
}

interface Wrapped {
  /** CKA_ID of the key that wraps, hexadecimal. */
  readonly id: string
  /** The token that had the key: a hint for people, not a check. */
  readonly serial: string
  /** `iv ‖ ciphertext ‖ tag` of the seal's key. */
  readonly wrapped: Uint8Array
}

export function pkcs11Seal(key: Pkcs11Key, random: Random): Seal {
  return {
    kind,
    asks: 'nothing',
    secretFile: key.pinFile,
    startsAlone: false,
    async seal(rootKey, deploymentId) {
      const headerOf = (sealKey: Uint8Array): Promise<Header> =>
        used(key, async (token) => {
          const { serial } = await token.facts()
          const id = await wrappingKey(key, token, random)
          const wrapped = await token.encrypt(id, aadOf(deploymentId), sealKey)
          return { kind, id, serial, wrapped: Buffer.from(wrapped).toString('base64') }
        })
      return { record: await sealUnderNewKey(headerOf, rootKey, deploymentId, random) }
    },
    open(record, deploymentId) {
      const known = readWrapped(record)
      return unattended(async () => {
        const bytes = await used(key, (token) => unwrapped(token, known, deploymentId))
        return openRecord(takeSecretKey(bytes), record, deploymentId)
      })
    },
  }
}

/**
 * The id of the key with this label. A start that died after it was made left it for the next one.
 * @throws {SealRefused} if somebody made the key outside, or it can leave the HSM
 */
async function wrappingKey({ object }: Pkcs11Key, token: Token, random: Random): Promise<string> {
  const [found, another] = await token.findKeys({ label: object })
  if (another !== undefined) throw new SealRefused(`the token has several keys "${object}"`)
  if (found === undefined) {
    const id = Buffer.from(random.bytes(idBytes)).toString('hex')
    await token.generateKey({ label: object, id })
    return id
  }
  if (!found.isSafe || found.id === '') {
    throw new SealRefused(
      `the key "${object}" is not an AES-256 key that was made in the token and cannot leave it: ` +
        'name another object',
    )
  }
  return found.id
}

async function unwrapped(
  token: Token,
  { id, serial, wrapped }: Wrapped,
  deploymentId: string,
): Promise<Uint8Array> {
  const { label, serial: present } = await token.facts()
  const found = await token.findKeys({ id })
  if (found.length === 0) {
    throw new SealRefused(
      `token "${label}" (serial number ${present}) does not have the key that sealed the root key: ` +
        `it was made with the token of serial number ${serial}`,
    )
  }
  const bytes = await token.decrypt(id, aadOf(deploymentId), wrapped)
  if (bytes.length !== sealKeyBytes) throw damaged()
  return bytes
}

/** Opens the token for one use: a seal uses it once a start. */
async function used<T>(key: Pkcs11Key, use: (token: Token) => Promise<T>): Promise<T> {
  const { place, pinFile: path, environment, callMsMax } = key
  const token = createToken({
    place,
    environment: libraryEnvironment(environment),
    ...(callMsMax !== undefined && { callMsMax }),
    readPin: async () =>
      withoutLineBreak(
        await readPrivateFile({ path, name: 'PIN file', sizeMin: 1, sizeMax: pinBytesMax }),
      ),
  })
  try {
    return await use(token)
  } catch (error) {
    throw error instanceof TokenError ? sealError(error, path) : error
  } finally {
    token.close()
  }
}

/** Editors end a file with a line break. */
function withoutLineBreak(pin: Buffer): Buffer {
  return pin.at(-1) === 0x0a ? pin.subarray(0, -1) : pin
}

/** The wrapped key or the AAD is another one. Some tokens say only CKR_GENERAL_ERROR. */
const notDecrypted: ReadonlySet<string> = new Set([
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_AEAD_DECRYPT_FAILED',
])

function sealError(error: TokenError, pinFile: string): Error {
  if (notDecrypted.has(error.code)) return damaged()
  if (isAboutPin(error)) {
    const message =
      `the HSM does not accept the PIN of ${pinFile} (${error.code}), and more attempts could lock ` +
      'it: correct the PIN'
    return new SealStopped(message, { cause: error })
  }
  return new SealUnavailable(`the HSM cannot be used: ${error.message} (${error.code})`, {
    cause: error,
  })
}

function aadOf(deploymentId: string): Buffer {
  return Buffer.from(`trent:seal-key:1${deploymentId}`)
}

/** Reads the members within bounds: nothing has proved them yet. */
function readWrapped(record: Uint8Array): Wrapped {
  const { id, serial, wrapped } = readHeader(record, kind)
  if (typeof id !== 'string' || !/^(?:[0-9a-f]{2}){1,64}$/.test(id)) throw damaged()
  if (typeof serial !== 'string' || serial.length > serialCharactersMax) throw damaged()
  const bytes = Buffer.from(typeof wrapped === 'string' ? wrapped : '', 'base64')
  if (bytes.length !== wrappedBytes || /\p{Cc}/u.test(serial)) throw damaged()
  return { id, serial, wrapped: bytes }
}
