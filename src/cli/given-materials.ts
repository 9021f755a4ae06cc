/**
 * Reads private keys in the form that people write in a file: PEM of any kind, or base64 with line
 * breaks.
 * @module
 */
import { createPrivateKey } from 'node:crypto'
import type { DocumentFile } from './document-file.ts'

/** The file's value with all material in base64; key pairs as PKCS #8, DER. @throws {ConfigError} */
export function withMaterials({ value, faultAt }: DocumentFile): unknown {
  for (const [index, account] of listOf(memberOf(value, 'accounts')).entries()) {
    for (const [position, key] of listOf(memberOf(account, 'keys')).entries()) {
      if (!isObject(key)) continue
      const place = `#/accounts/${index}/keys/${position}`
      const read = (given: unknown, member: string): unknown =>
        bytesOf(given, (message) => faultAt(`${place}/${member}`, message))
      if ('material' in key) key['material'] = read(key['material'], 'material')
      const earlier = key['earlierMaterials']
      if (!Array.isArray(earlier)) continue
      key['earlierMaterials'] = earlier.map((each, nth) => read(each, `earlierMaterials/${nth}`))
    }
  }
  return value
}

function bytesOf(given: unknown, fault: (message: string) => Error): unknown {
  if (typeof given !== 'string') return given
  if (!given.includes('-----BEGIN ')) return given.replaceAll(/\s/g, '')
  try {
    return pkcs8Of(given).toString('base64')
  } catch {
    // OpenSSL's error may quote the key.
    throw fault('must be a private key in PEM without a passphrase')
  }
}

/** Returns PKCS #8, DER. @throws {Error} when it is not a private key */
export function pkcs8Of(pem: string): Buffer {
  return createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
