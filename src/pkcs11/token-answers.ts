/**
 * What the child process that holds a token may answer. It runs the vendor's library, so the server believes
 * nothing but the content of an answer of the right form.
 * @module
 */
import type { TokenCall, TokenCalls } from './token-calls.ts'
import { TokenError } from './token-error.ts'
import type { Form } from './token-wire.ts'

type Check = (value: unknown) => boolean

const textMax = 1024
const keysMax = 2

const isText: Check = (value) => typeof value === 'string' && value.length <= textMax
/** A length that a token does not say is a very large number. */
const isCount: Check = (value) => typeof value === 'number' && value >= 0
const isFlag: Check = (value) => typeof value === 'boolean'
const isNothing: Check = (value) => value === undefined
const isBytes: Check = (value) => value instanceof Uint8Array

function isObject(members: Readonly<Record<string, Check>>): Check {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(members).every(([name, check]) =>
      check((value as Record<string, unknown>)[name]),
    )
}

const isKey = isObject({ id: isText, label: isText, isSafe: isFlag })

const checks: Readonly<Record<TokenCall, Check>> = {
  open: isObject({ label: isText, serial: isText, pinBytesMin: isCount, pinBytesMax: isCount }),
  probe: isObject({ isInitialized: isFlag }),
  findKeys: (value) => Array.isArray(value) && value.length <= keysMax && value.every(isKey),
  generateKey: isNothing,
  destroyKey: isNothing,
  encrypt: isBytes,
  decrypt: isBytes,
  random: isBytes,
  setPin: isNothing,
}

/** The answer to a call; undefined if it is none. */
export function readAnswer<Name extends TokenCall>(
  name: Name,
  form: Form,
  content: Buffer,
): { readonly value: TokenCalls[Name][1] } | undefined {
  const read = form === 'bytes' ? { value: content } : form === 'json' ? jsonOf(content) : undefined
  if (read === undefined || !checks[name](read.value)) return undefined
  return read as { readonly value: TokenCalls[Name][1] } // checked
}

/** The error that the child process answers; undefined if it is none. */
export function readError(content: Buffer): TokenError | undefined {
  const value = jsonOf(content)?.value
  if (!isObject({ code: isText, message: isText })(value)) return undefined
  const { code, message } = value as { readonly code: string; readonly message: string }
  return new TokenError(code, message)
}

/** Nothing at all is undefined, which JSON does not have. */
function jsonOf(content: Buffer): { readonly value: unknown } | undefined {
  if (content.length === 0) return { value: undefined }
  try {
    return { value: JSON.parse(content.toString('utf8')) as unknown }
  } catch {
    return undefined
  }
}
