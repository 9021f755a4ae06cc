/** Private keys in a file, as people write them: PEM of any kind, or base64 with line breaks. @module */
import { createPrivateKey } from 'node:crypto'
import type { DocumentFile } from './document-file.ts'

/** The file's value with all material in base64, pairs as PKCS #8, DER. @throws {ConfigError} */
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
    // Whatever OpenSSL says of it may quote it.
    throw fault('is no private key in PEM, or one under a passphrase')
  }
}

/** PKCS #8, DER. @throws {Error} */
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
