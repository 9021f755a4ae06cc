/** Access keys for principals: a random id and secret, the secret wrapped for the store. @module */
import type { AccessKeyRecord } from '../model/access-key.ts'
import type { Random } from '../model/clock.ts'
import { identifierOf } from '../model/identity.ts'
import { serviceKeyPrefix } from '../model/service.ts'
import type { Keyring } from './keyring.ts'
import { wrapSecret, type SecretOwner } from './secrets.ts'

export interface NewAccessKey<Owner = Omit<SecretOwner, 'accessKeyId'>> {
  readonly record: Owner &
    Pick<AccessKeyRecord, 'accessKeyId' | 'wrappingVersion' | 'wrappedSecret'>
  /**
   * Forty characters of base64, to be told once: a string, since that is what an answer is made of. It
   * must reach nothing but that answer.
   */
  readonly plaintextSecret: string
}

/** Makes access keys for `owner`. */
export function createAccessKeys(
  keyring: Keyring,
  random: Random,
): <Owner extends Omit<SecretOwner, 'accessKeyId'>>(owner: Owner) => NewAccessKey<Owner> {
  return (owner) => {
    const accessKeyId =
      owner.principalKind === 'service' ? newServiceKeyId(random) : newAccessKeyId(random)
    const named = { ...owner, accessKeyId }
    const secret = Buffer.from(Buffer.from(random.bytes(30)).toString('base64'))
    try {
      const record = { ...named, ...wrapSecret(keyring, named, secret) }
      return { record, plaintextSecret: secret.toString('latin1') }
    } finally {
      secret.fill(0)
    }
  }
}

/** `AKIA` and sixteen characters of base 32, as AWS's long-term access keys look. */
export function newAccessKeyId(random: Random): string {
  return identifierOf('AKIA', random.bytes(16))
}

function newServiceKeyId(random: Random): string {
  return identifierOf(serviceKeyPrefix, random.bytes(16))
}
