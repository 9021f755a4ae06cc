/** An open token. Only the child process imports this file. @module */
import { randomBytes } from 'node:crypto'
import pkcs11 from 'pkcs11js'
import { TokenError } from './token-error.ts'
import type { IvMaker, TokenCalls, TokenFacts, TokenKey, TokenPlace } from './token-calls.ts'
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
  readonly #iv: IvMaker
  readonly #handles = new Map<string, Handle>()

  /** Logs in. @throws {TokenError} */
  constructor(place: TokenPlace, { pin, iv }: { readonly pin: Uint8Array; readonly iv: IvMaker }) {
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
    this.#iv = iv
    this.#withSession = pooled(open, (session) => library.C_CloseSession(session))
  }

  findKeys({ label, id }: Input<'findKeys'>): readonly TokenKey[] {
    const found = this.#find([
      ...(label === undefined ? [] : [{ type: pkcs11.CKA_LABEL, value: label }]),
      ...(id === undefined ? [] : [idAttribute(id)]),
    ])
    return found.map((handle) => keyOf(this.#library, this.#first, handle))
  }

  generateKey({ label, id }: Input<'generateKey'>): Promise<undefined> {
    return this.#withSession(async (session) => {
      const template = [...newKey, { type: pkcs11.CKA_LABEL, value: label }]
      template.push(idAttribute(id))
      const mechanism = { mechanism: pkcs11.CKM_AES_KEY_GEN }
      await this.#library.C_GenerateKeyAsync(session, mechanism, template)
      return undefined
    })
  }

  destroyKey(id: string): undefined {
    this.#handles.delete(id)
    for (const handle of this.#find([idAttribute(id)])) {
      named(() => this.#library.C_DestroyObject(this.#first, handle))
    }
    return undefined
  }

  /** Returns `iv ‖ ciphertext ‖ tag`. */
  async encrypt({ id, aad, plaintext }: Input<'encrypt'>): Promise<Uint8Array> {
    return this.#withKey(id, async (session, key) => {
      // A token that makes the IV writes it over these zeros.
      const iv = this.#iv === 'we' ? randomBytes(ivBytes) : Buffer.alloc(ivBytes)
      this.#library.C_EncryptInit(session, gcm(iv, aad), key)
      const room = Buffer.alloc(plaintext.length + tagBytes)
      const sealed = await this.#library.C_EncryptAsync(session, bufferOf(plaintext), room)
      // INVARIANT (no fixed IV): a token that left the zeros would encrypt everything under one IV.
      if (iv.every((byte) => byte === 0)) {
        throw new TokenError('NO_IV', 'the token did not make an IV: Trent has to make it')
      }
      return Buffer.concat([iv, sealed])
    })
  }

  async decrypt({ id, aad, sealed }: Input<'decrypt'>): Promise<Uint8Array> {
    if (sealed.length < ivBytes + tagBytes) {
      throw new TokenError('CKR_ENCRYPTED_DATA_LEN_RANGE', 'the ciphertext is too short')
    }
    const bytes = bufferOf(sealed)
    return this.#withKey(id, async (session, key) => {
      this.#library.C_DecryptInit(session, gcm(bytes.subarray(0, ivBytes), aad), key)
      const room = Buffer.alloc(bytes.length)
      return this.#library.C_DecryptAsync(session, bytes.subarray(ivBytes), room)
    })
  }

  /** Uses a key. If its handle is no longer valid, looks for the key again, once. */
  async #withKey<T>(id: string, use: (session: Handle, key: Handle) => Promise<T>): Promise<T> {
    const isKnown = this.#handles.has(id)
    const key = this.#handleOf(id)
    try {
      return await this.#withSession((session) => use(session, key))
    } catch (error) {
      if (!isKnown || !(error instanceof TokenError) || !stale.has(error.code)) throw error
    }
    this.#handles.delete(id)
    const found = this.#handleOf(id)
    return this.#withSession((session) => use(session, found))
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
    const [handle, another] = this.#find([idAttribute(id)])
    if (handle === undefined) throw new TokenError('CKR_KEY_HANDLE_INVALID', 'the key is not there')
    if (another !== undefined) throw new TokenError('AMBIGUOUS', 'several keys have this id')
    if (this.#handles.size >= handlesMax) this.#handles.clear()
    this.#handles.set(id, handle)
    return handle
  }
}

function idAttribute(id: string): pkcs11.Template[number] {
  return { type: pkcs11.CKA_ID, value: Buffer.from(id, 'hex') }
}

/** The handle names no key any more: the token was restarted, or its keys were synchronized. */
const stale: ReadonlySet<string> = new Set(['CKR_KEY_HANDLE_INVALID', 'CKR_OBJECT_HANDLE_INVALID'])

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

/**
 * Gives each call a session of its own; calls wait while all are in use. A session in which a call failed is
 * closed: an operation could still be active in it.
 */
function pooled(
  open: () => Handle,
  close: (session: Handle) => void,
): <T>(call: (session: Handle) => Promise<T>) => Promise<T> {
  const idle: Handle[] = []
  const waiting: (() => void)[] = []
  let free = sessionsMax - 1
  const take = async (): Promise<Handle> => {
    if (free > 0) free -= 1
    // The call that ends leaves its place to this one.
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return idle.pop() ?? open()
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  const used = async <T>(call: (session: Handle) => Promise<T>): Promise<T> => {
    const session = await take()
    try {
      const answer = await call(session)
      idle.push(session)
      return answer
    } catch (error) {
      try {
        close(session)
      } catch {
        // The session is gone, or the token is: the call's own error says more.
      }
      throw error
    }
  }
  return async (call) => {
    try {
      return await used(call)
    } catch (error) {
      throw tokenError(error)
    } finally {
      leave()
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
