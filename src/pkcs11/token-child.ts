/**
 * The program of the child process: loads the vendor's library and answers calls about one token. It is a
 * process of its own, so that the library can neither read the server's secrets nor take the server down.
 * @module
 */
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { isSea } from 'node:sea'
import { deserialize } from 'node:v8'
import type { OpenToken } from './open-token.ts'
import type { Asked, TokenCall, TokenCalls } from './token-calls.ts'
import { TokenError } from './token-error.ts'
import { pipeDescriptor, readMessages, writeMessage, type Message } from './token-wire.ts'

type Calls = { [Name in TokenCall]: (input: TokenCalls[Name][0]) => Promise<TokenCalls[Name][1]> }

let opened: OpenToken | undefined

function token(): OpenToken {
  if (opened === undefined) throw new TokenError('CLOSED', 'the token is not open')
  return opened
}

const compiles = isSea()
  ? `\`npm install pkcs11js\` in ${dirname(process.execPath)}`
  : '`npm run build:pkcs11`'

/** Loads `pkcs11js`, which may be missing. @throws {TokenError} `NOT_INSTALLED` */
async function compiled<T>(module: Promise<T>): Promise<T> {
  return module.catch((cause: unknown) => {
    throw new TokenError(
      'NOT_INSTALLED',
      `PKCS #11 needs the package pkcs11js, compiled: run ${compiles} ` +
        '(it needs a C++ compiler, make and Python)',
      { cause },
    )
  })
}

const calls: Calls = {
  async open({ pin, iv, ...place }) {
    const { OpenToken: Opened } = await compiled(import('./open-token.ts'))
    opened = new Opened(place, { pin, iv })
    return opened.facts
  },
  async probe(place) {
    const { findToken, isInitialized, loadLibrary } = await compiled(import('./vendor-library.ts'))
    return { isInitialized: isInitialized(findToken(loadLibrary(place.library), place)) }
  },
  findKeys: async (wanted) => token().findKeys(wanted),
  generateKey: (wanted) => token().generateKey(wanted),
  destroyKey: async ({ id }) => token().destroyKey(id),
  encrypt: (input) => token().encrypt(input),
  decrypt: (input) => token().decrypt(input),
  random: async ({ bytes }) => token().random(bytes),
  setPin: async ({ pin, next }) => token().setPin(pin, next),
}

const pipe = new Socket({ fd: pipeDescriptor })

async function answer({ id, content }: Message): Promise<void> {
  try {
    const { name, input } = deserialize(content) as Asked // the server asked it
    const call = calls[name] as (input: unknown) => Promise<unknown> // the row of this name
    const answered = await call(input)
    if (answered instanceof Uint8Array) {
      writeMessage(pipe, { id, form: 'bytes', content: Buffer.from(answered) })
    } else writeMessage(pipe, { id, form: 'json', content: jsonOf(answered) })
  } catch (error) {
    const { code, message } =
      error instanceof TokenError
        ? error
        : { code: 'ENDED', message: 'the child process of the token failed' }
    writeMessage(pipe, { id, form: 'error', content: jsonOf({ code, message }) })
  } finally {
    // What was read of it, such as the PIN, are parts of it.
    content.fill(0)
  }
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(value === undefined ? '' : JSON.stringify(value))
}

readMessages(
  pipe,
  (asked) => void answer(asked),
  () => process.exit(1),
)
// The server ends it. A signal to the whole group must not take a token away from calls in flight.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
pipe.on('error', () => process.exit())
pipe.on('close', () => process.exit())
