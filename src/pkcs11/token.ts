/**
 * A token of PKCS #11 (an HSM), used through a child process that holds the vendor's library and the PIN and
 * nothing else. The process begins with the first call. When it hangs or dies it is killed, and the next call
 * begins another one and logs in again.
 * @module
 */
import type {
  IvMaker,
  TokenCall,
  TokenCalls,
  TokenFacts,
  TokenKey,
  TokenPlace,
} from './token-calls.ts'
import { TokenError } from './token-error.ts'
import { startTokenProcess, type TokenProcess } from './token-process.ts'

export interface Token {
  /** Logs in, if it has not yet. @throws {TokenError} as every method does */
  readonly facts: () => Promise<TokenFacts>
  /** At most two keys, by label or id (hexadecimal). */
  readonly findKeys: (wanted: TokenCalls['findKeys'][0]) => Promise<readonly TokenKey[]>
  /** Makes an AES-256 key that never leaves the token. @param wanted.id CKA_ID, hexadecimal */
  readonly generateKey: (wanted: TokenCalls['generateKey'][0]) => Promise<void>
  /** Destroys every key with this id. It is no error if there is none. */
  readonly destroyKey: (id: string) => Promise<void>
  /** AES-256-GCM. Returns `iv ‖ ciphertext ‖ tag`. */
  readonly encrypt: (id: string, aad: Uint8Array, plaintext: Uint8Array) => Promise<Uint8Array>
  /** The caller overwrites the result. Tokens have several codes for a tag that does not match. */
  readonly decrypt: (id: string, aad: Uint8Array, sealed: Uint8Array) => Promise<Uint8Array>
  readonly random: (bytes: number) => Promise<Uint8Array>
  /** The next log-in reads the PIN anew. */
  readonly setPin: (next: Uint8Array) => Promise<void>
  /** Ends the child process. */
  readonly close: () => void
  /** Ends the child process after the calls that it is answering. */
  readonly retire: () => void
}

export interface TokenOptions {
  readonly place: TokenPlace
  /** Reads the PIN, UTF-8, for each log-in. It is overwritten. */
  readonly readPin: () => Promise<Uint8Array>
  /** All environment variables of the child process. */
  readonly environment: Readonly<Record<string, string>>
  /** Milliseconds for one call. */
  readonly callMsMax?: number
  /** Calls that wait at most. */
  readonly waitingMax?: number
  /** Who makes the IV of an encryption; Trent by default. */
  readonly iv?: IvMaker
  /**
   * Milliseconds in which a log-in that failed answers for all calls, so that a library that crashes or hangs
   * is not started anew for each of them. None by default.
   */
  readonly pauseMs?: number
}

const callMsDefault = 10_000
const waitingDefault = 64

/** The session is lost, not the token: a new log-in may help. */
const lost: ReadonlySet<string> = new Set([
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_SESSION_CLOSED',
  'CKR_USER_NOT_LOGGED_IN',
  'CKR_DEVICE_REMOVED',
  'CKR_CRYPTOKI_NOT_INITIALIZED',
  'ENDED',
])

/** A further attempt with the same PIN could lock the token, or cannot help. */
const aboutPin: ReadonlySet<string> = new Set([
  'CKR_PIN_INCORRECT',
  'CKR_PIN_INVALID',
  'CKR_PIN_LEN_RANGE',
  'CKR_PIN_EXPIRED',
  'CKR_PIN_LOCKED',
  'CKR_USER_PIN_NOT_INITIALIZED',
  'PIN_LAST_TRY',
])

/** Whether the token refused the PIN, so that trying again could lock it. */
export function isAboutPin(error: TokenError): boolean {
  return aboutPin.has(error.code)
}

export function createToken(options: TokenOptions): Token {
  const token = new ChildToken(options)
  return {
    facts: () => token.facts(),
    findKeys: (wanted) => token.call('findKeys', wanted, 'again'),
    generateKey: (wanted) => token.call('generateKey', wanted),
    destroyKey: (id) => token.call('destroyKey', { id }, 'again'),
    encrypt: async (id, aad, plaintext) =>
      ofLength(
        plaintext.length + addedBytes,
        await token.call('encrypt', { id, aad, plaintext }, 'again'),
      ),
    decrypt: async (id, aad, sealed) =>
      ofLength(
        sealed.length - addedBytes,
        await token.call('decrypt', { id, aad, sealed }, 'again'),
      ),
    random: async (bytes) => ofLength(bytes, await token.call('random', { bytes }, 'again')),
    setPin: (next) => token.setPin(next),
    close: () => token.close(),
    retire: () => token.retire(),
  }
}

/** Bytes that an encryption adds: the IV and the tag. */
const addedBytes = 12 + 16

/** A token that answers fewer bytes would make ciphertexts that nobody can read. @throws {TokenError} */
function ofLength(bytes: number, answer: Uint8Array): Uint8Array {
  if (answer.length === bytes) return answer
  answer.fill(0)
  throw new TokenError('NONSENSE', `the token answers ${answer.length} bytes, and not ${bytes}`)
}

/**
 * Looks for a token without a log-in, in a child process of its own.
 * @throws {TokenError} `CKR_TOKEN_NOT_PRESENT` if there is none
 */
export async function probeToken(
  place: TokenPlace,
  { environment, callMsMax = callMsDefault }: Pick<TokenOptions, 'environment' | 'callMsMax'>,
): Promise<TokenCalls['probe'][1]> {
  const child = startTokenProcess({ environment, callMsMax })
  try {
    return await child.call('probe', place)
  } finally {
    child.end()
  }
}

interface Login {
  readonly process: TokenProcess
  readonly facts: Promise<TokenFacts>
}

class ChildToken {
  readonly #options: TokenOptions
  #login: Login | undefined
  /** INVARIANT (one wrong PIN): after the token refused the PIN, nothing logs in with it again. */
  #refusedPin: TokenError | undefined
  #isClosed = false
  #isRetired = false
  #waiting = 0
  /** The last log-in that failed, and until when it answers for others: milliseconds, monotonic. */
  #failed: { readonly error: unknown; readonly until: number } | undefined

  constructor(options: TokenOptions) {
    this.#options = options
  }

  facts(): Promise<TokenFacts> {
    return this.#bounded(() => this.#loggedIn().facts)
  }

  /** @param ifLost `again` for calls that may be repeated on a new session */
  async call<Name extends TokenCall>(
    name: Name,
    input: TokenCalls[Name][0],
    ifLost?: 'again',
  ): Promise<TokenCalls[Name][1]> {
    return this.#bounded(async () => {
      const login = this.#loggedIn()
      try {
        await login.facts
        return await login.process.call(name, input)
      } catch (error) {
        if (!(error instanceof TokenError) || !lost.has(error.code)) throw error
        this.#forget(login)
        if (ifLost === undefined) throw error
      }
      const next = this.#loggedIn()
      await next.facts
      return next.process.call(name, input)
    })
  }

  async setPin(next: Uint8Array): Promise<void> {
    const pin = await this.#options.readPin()
    try {
      await this.call('setPin', { pin, next })
    } finally {
      pin.fill(0)
    }
  }

  close(): void {
    this.#isClosed = true
    this.#login?.process.end()
  }

  retire(): void {
    this.#isRetired = true
    if (this.#waiting === 0) this.close()
  }

  async #bounded<T>(call: () => Promise<T>): Promise<T> {
    const { waitingMax = waitingDefault } = this.#options
    if (this.#waiting >= waitingMax) {
      throw new TokenError('BUSY', `${waitingMax} calls wait for the token`)
    }
    this.#waiting += 1
    try {
      return await call()
    } finally {
      this.#waiting -= 1
      if (this.#isRetired && this.#waiting === 0) this.close()
    }
  }

  #loggedIn(): Login {
    if (this.#isClosed) throw new TokenError('CLOSED', 'the token was closed')
    if (this.#refusedPin !== undefined) throw this.#refusedPin
    if (this.#login !== undefined && !this.#login.process.hasEnded()) return this.#login
    const { environment, callMsMax = callMsDefault, pauseMs = 0 } = this.#options
    if (this.#failed !== undefined && performance.now() < this.#failed.until) {
      throw this.#failed.error
    }
    const process = startTokenProcess({ environment, callMsMax })
    const login = { process, facts: this.#open(process) }
    login.facts.catch((error: unknown) => {
      if (error instanceof TokenError && isAboutPin(error)) this.#refusedPin = error
      this.#failed = { error, until: performance.now() + pauseMs }
      this.#forget(login)
    })
    this.#login = login
    return login
  }

  async #open(process: TokenProcess): Promise<TokenFacts> {
    const { readPin, place, iv = 'we' } = this.#options
    const pin = await readPin()
    try {
      return await process.call('open', { ...place, pin, iv })
    } finally {
      pin.fill(0)
    }
  }

  #forget(login: Login): void {
    // The other calls that it was answering may be repeated, too.
    login.process.end(new TokenError('ENDED', 'the session of the token was lost'))
    if (this.#login === login) this.#login = undefined
  }
}
