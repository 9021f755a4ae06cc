/**
 * A PKCS #11 URI that names a key in a token, the vendor's library and the file of the PIN.
 * @see https://www.rfc-editor.org/rfc/rfc7512
 * @module
 */
import { isAbsolute } from 'node:path'
import type { TokenPlace } from './token-calls.ts'

export interface NamedKey {
  readonly place: TokenPlace
  /** CKA_LABEL */
  readonly object: string
  /** Absolute path. */
  readonly pinFile: string
}

const charactersMax = 2048
const known: ReadonlySet<string> = new Set([
  'token',
  'serial',
  'slot-id',
  'object',
  'module-path',
  'pin-source',
])

/** @param rest what follows `pkcs11:` @returns a sentence if it is not such a URI */
export function readPkcs11Uri(rest: string): NamedKey | string {
  const attributes = attributesOf(rest)
  if (typeof attributes === 'string') return attributes
  const { token, serial, 'slot-id': slot, object, 'module-path': library = '' } = attributes
  const pinFile = (attributes['pin-source'] ?? '').replace(/^file:(?:\/\/)?(?=\/)/, '')
  if (token === undefined && serial === undefined && slot === undefined) {
    return 'a PKCS #11 URI names its token by token=, serial= or slot-id='
  }
  if (object === undefined || object === '') return 'a PKCS #11 URI names its key by object='
  if (!isAbsolute(library)) return 'module-path= is the absolute path of a PKCS #11 library'
  if (!isAbsolute(pinFile)) return 'pin-source= is file: and the absolute path of a file'
  if (slot !== undefined && !/^\d{1,10}$/.test(slot)) return 'slot-id= is a whole number'
  const place = {
    library,
    ...(token !== undefined && { label: token }),
    ...(serial !== undefined && { serial }),
    ...(slot !== undefined && { slot: Number(slot) }),
  }
  return { place, object, pinFile }
}

function attributesOf(rest: string): Readonly<Partial<Record<string, string>>> | string {
  if (rest.length > charactersMax) return 'a PKCS #11 URI is not that long'
  const [path = '', query, ...more] = rest.split('?')
  if (more.length > 0) return 'a PKCS #11 URI has one question mark'
  const attributes: Partial<Record<string, string>> = {}
  for (const text of [...path.split(';'), ...(query?.split('&') ?? [])]) {
    const [, name = '', value = ''] = /^([a-z-]+)=(.*)$/.exec(text) ?? []
    if (name === 'pin-value') return 'a PIN is never in a setting: pin-source= names its file'
    if (!known.has(name))
      return 'a PKCS #11 URI has token, serial, slot-id, object; module-path, pin-source'
    if (attributes[name] !== undefined) return `a PKCS #11 URI has one ${name}=`
    const decoded = decode(value)
    if (decoded === undefined) return `${name}= is not percent-encoded text`
    attributes[name] = decoded
  }
  return attributes
}

function decode(value: string): string | undefined {
  try {
    const text = decodeURIComponent(value)
    return /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
