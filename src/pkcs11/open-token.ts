/** An open token. Only the child process imports this file. @module */
import { randomBytes } from 'node:crypto'
import pkcs11 from 'pkcs11js'
import { TokenError } from './token-error.ts'
import type { TokenCalls, TokenFacts, TokenKey, TokenPlace } from './token-calls.ts'
import {
  findToken,
  type Library,
  loadLibrary,
  named,
  numberOf,
  requireTries,
  tokenError,
} from './vendor-library.ts'

type Handle = pkcs11.Handle
type Input<Name extends keyof TokenCalls> = TokenCalls[Name][0]

const ivBytes = 12
const tagBytes = 16
const keyBytes = 32
/** One for each thread of libuv's pool in the child process. The first does what is quick. */
const sessionsMax = 5
/** Handles of keys that are remembered at most. */
const handlesMax = 10_000
const foundMax = 2

/** A token that is logged in. Errors are `TokenError`s. */
export class OpenToken {
  readonly facts: TokenFacts
  readonly #library: Library
  /** For what is quick. */
  readonly #first: Handle
  readonly #withSession: <T>(call: (session: Handle) => Promise<T>) => Promise<T>
  readonly #handles = new Map<string, Handle>()

  /** Logs in. @throws {TokenError} */
  constructor(place: TokenPlace, pin: Uint8Array) {
    const library = loadLibrary(place.library)
    const token = findToken(library, place)
    requireTries(token)
    const flags = pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION
    const open = (): Handle => named(() => library.C_OpenSession(token.slot, flags))
    const first = open()
    // All sessions of a process are logged in together.
    named(() => library.C_Login(first, pkcs11.CKU_USER, textOf(pin)))
    this.facts = token.facts
    this.#library = library
    this.#first = first
    this.#withSession = pooled(open)
  }

  findKeys({ label, id }: Input<'findKeys'>): readonly TokenKey[] {
    const found = this.#find([
      ...(label === undefined ? [] : [{ type: pkcs11.CKA_LABEL, value: label }]),
      ...(id === undefined ? [] : [{ type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') }]),
    ])
    return found.map((handle) => keyOf(this.#library, this.#first, handle))
  }

  generateKey({ label, id }: Input<'generateKey'>): Promise<undefined> {
    return this.#withSession(async (session) => {
      const template = [...newKey, { type: pkcs11.CKA_LABEL, value: label }]
      template.push({ type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') })
      const mechanism = { mechanism: pkcs11.CKM_AES_KEY_GEN }
      await this.#library.C_GenerateKeyAsync(session, mechanism, template)
      return undefined
    })
  }

  destroyKey(id: string): undefined {
    const handle = this.#handleOf(id)
    this.#handles.delete(id)
    named(() => this.#library.C_DestroyObject(this.#first, handle))
    return undefined
  }

  /** Returns `iv ‖ ciphertext ‖ tag`. */
  encrypt({ id, aad, plaintext }: Input<'encrypt'>): Promise<Uint8Array> {
    return this.#withSession(async (session) => {
      const iv = randomBytes(ivBytes)
      this.#library.C_EncryptInit(session, gcm(iv, aad), this.#handleOf(id))
      const room = Buffer.alloc(plaintext.length + tagBytes)
      return Buffer.concat([
        iv,
        await this.#library.C_EncryptAsync(session, bufferOf(plaintext), room),
      ])
    })
  }

  decrypt({ id, aad, sealed }: Input<'decrypt'>): Promise<Uint8Array> {
    return this.#withSession(async (session) => {
      if (sealed.length < ivBytes + tagBytes) {
        throw new TokenError('CKR_ENCRYPTED_DATA_LEN_RANGE', 'the ciphertext is too short')
      }
      const bytes = bufferOf(sealed)
      const mechanism = gcm(bytes.subarray(0, ivBytes), aad)
      this.#library.C_DecryptInit(session, mechanism, this.#handleOf(id))
      const room = Buffer.alloc(bytes.length)
      return this.#library.C_DecryptAsync(session, bytes.subarray(ivBytes), room)
    })
  }

  random(bytes: number): Uint8Array {
    return named(() => this.#library.C_GenerateRandom(this.#first, Buffer.alloc(bytes)))
  }

  setPin(pin: Uint8Array, next: Uint8Array): undefined {
    named(() => this.#library.C_SetPIN(this.#first, textOf(pin), textOf(next)))
    return undefined
  }

  #find(template: pkcs11.Template): readonly Handle[] {
    const library = this.#library
    return named(() => {
      library.C_FindObjectsInit(this.#first, [...secretKey, ...template])
      try {
        return library.C_FindObjects(this.#first, foundMax)
      } finally {
        library.C_FindObjectsFinal(this.#first)
      }
    })
  }

  #handleOf(id: string): Handle {
    const known = this.#handles.get(id)
    if (known !== undefined) return known
    const [handle, another] = this.#find([{ type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') }])
    if (handle === undefined) throw new TokenError('CKR_KEY_HANDLE_INVALID', 'the key is not there')
    if (another !== undefined) throw new TokenError('AMBIGUOUS', 'several keys have this id')
    if (this.#handles.size >= handlesMax) this.#handles.clear()
    this.#handles.set(id, handle)
    return handle
  }
}

const secretKey: pkcs11.Template = [
  { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
  { type: pkcs11.CKA_KEY_TYPE, value: pkcs11.CKK_AES },
]

const newKey: pkcs11.Template = [
  ...secretKey,
  { type: pkcs11.CKA_VALUE_LEN, value: keyBytes },
  { type: pkcs11.CKA_TOKEN, value: true },
  { type: pkcs11.CKA_PRIVATE, value: true },
  { type: pkcs11.CKA_SENSITIVE, value: true },
  { type: pkcs11.CKA_EXTRACTABLE, value: false },
  { type: pkcs11.CKA_ENCRYPT, value: true },
  { type: pkcs11.CKA_DECRYPT, value: true },
]

/** What a key that never leaves its token says of itself. */
const neededTrue = [
  pkcs11.CKA_ENCRYPT,
  pkcs11.CKA_DECRYPT,
  pkcs11.CKA_LOCAL,
  pkcs11.CKA_ALWAYS_SENSITIVE,
  pkcs11.CKA_NEVER_EXTRACTABLE,
]

function keyOf(library: Library, session: Handle, handle: Handle): TokenKey {
  const read = (type: number): Buffer =>
    named(() => library.C_GetAttributeValue(session, handle, [{ type }]))[0]?.value ??
    Buffer.alloc(0)
  const has256Bits = numberOf(read(pkcs11.CKA_VALUE_LEN)) === keyBytes
  return {
    id: read(pkcs11.CKA_ID).toString('hex'),
    label: read(pkcs11.CKA_LABEL).toString('utf8'),
    isSafe: has256Bits && neededTrue.every((type) => read(type)[0] === 1),
  }
}

function gcm(iv: Buffer, aad: Uint8Array): pkcs11.Mechanism {
  const parameter = {
    type: pkcs11.CK_PARAMS_AES_GCM_v240,
    iv,
    ivBits: 8 * ivBytes,
    aad: bufferOf(aad),
    tagBits: 8 * tagBytes,
  }
  return { mechanism: pkcs11.CKM_AES_GCM, parameter }
}

/** Gives each call a session of its own; calls wait while all are in use. */
function pooled(open: () => Handle): <T>(call: (session: Handle) => Promise<T>) => Promise<T> {
  const idle: Handle[] = []
  const waiting: ((session: Handle) => void)[] = []
  let count = 1
  const take = async (): Promise<Handle> => {
    const session = idle.pop()
    if (session !== undefined) return session
    if (count < sessionsMax) {
      const made = open()
      count += 1
      return made
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
  return async (call) => {
    const session = await take()
    try {
      return await call(session)
    } catch (error) {
      throw tokenError(error)
    } finally {
      const next = waiting.shift()
      if (next === undefined) idle.push(session)
      else next(session)
    }
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The library takes a PIN as text only. */
function textOf(pin: Uint8Array): string {
  return bufferOf(pin).toString('utf8')
}
