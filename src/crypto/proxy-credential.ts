/**
 * Credentials of the XKS proxies that Trent serves. The secret is wrapped, and bound to the credential and
 * its proxy.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import type { Random } from '../model/clock.ts'
import { identifierOf } from '../model/identity.ts'
import type { ProxyCredentialRecord } from '../model/served-proxy.ts'
import { canonicalRow } from './canonical.ts'
import type { Keyring } from './keyring.ts'
import { takeSigningSecret } from './secrets.ts'

type Named = Pick<ProxyCredentialRecord, 'accessKeyId' | 'proxyId' | 'accountId' | 'region'>
type Wrapped = Pick<ProxyCredentialRecord, 'wrappedSecret' | 'wrappingVersion'>

export interface NewProxyCredential {
  readonly record: Named & Wrapped
  /** 44 characters of base64. A string, because it goes into the answer, and nowhere else. */
  readonly plaintextSecret: string
}

/** Makes a random credential: an id of 24 characters, and a secret of 256 bits. */
export function makeProxyCredential(
  keyring: Pick<Keyring, 'wrap'>,
  random: Random,
  of: Omit<Named, 'accessKeyId'>,
): NewProxyCredential {
  const { proxyId, accountId, region } = of
  const accessKeyId = identifierOf('TXKS', random.bytes(20))
  const named = { accessKeyId, proxyId, accountId, region }
  const secret = Buffer.from(Buffer.from(random.bytes(32)).toString('base64'))
  try {
    return {
      record: { ...named, ...wrap(keyring, named, secret) },
      plaintextSecret: secret.toString('latin1'),
    }
  } finally {
    secret.fill(0)
  }
}

/**
 * Returns "AWS4" ‖ secret, the key from which Signature Version 4 derives its keys.
 * @throws {NotAuthentic} if the row was changed
 */
export function openProxyCredential(
  keyring: Pick<Keyring, 'unwrap'>,
  credential: Named & Wrapped,
): KeyObject {
  return takeSigningSecret(unwrap(keyring, credential))
}

/** Wraps the secret under the newest domain key. @throws {NotAuthentic} if the row was changed */
export function rewrapProxyCredential(
  keyring: Pick<Keyring, 'wrap' | 'unwrap'>,
  credential: Named & Wrapped,
): Wrapped {
  const secret = unwrap(keyring, credential)
  try {
    return wrap(keyring, credential, secret)
  } finally {
    secret.fill(0)
  }
}

function wrap(keyring: Pick<Keyring, 'wrap'>, named: Named, secret: Uint8Array): Wrapped {
  const { version, wrapped } = keyring.wrap('key-store-secret', aadOf(named), secret)
  return { wrappingVersion: version, wrappedSecret: wrapped }
}

function unwrap(keyring: Pick<Keyring, 'unwrap'>, credential: Named & Wrapped): Buffer {
  const { wrappingVersion, wrappedSecret } = credential
  return keyring.unwrap('key-store-secret', wrappingVersion, aadOf(credential), wrappedSecret)
}

function aadOf({ accessKeyId, proxyId, accountId, region }: Named): Buffer {
  return canonicalRow('proxy_credentials', {
    access_key_id: accessKeyId,
    proxy_id: proxyId,
    account_id: accountId,
    region,
  })
}
