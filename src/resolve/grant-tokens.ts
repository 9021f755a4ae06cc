/**
 * Grant tokens: sealed, and self-contained enough to find their grant. A grant holds at once, so that a
 * token adds nothing to it; but one that was not issued here, or whose grant is gone, fails its call.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/using-grant-token.html
 * @module
 */
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import { KmsError } from '../errors.ts'
import { granteeOf, type GrantRecord } from '../model/grant.ts'
import type { KeyRef } from '../model/key.ts'
import type { StoreReads } from '../store/store.ts'
import type { Lookup } from './lookup.ts'

export interface GrantTokens {
  /** A new token, never the same. Its text is no secret, and is not logged. */
  readonly seal: (grant: GrantRecord) => string
  /**
   * The grant of a token, in the Region that is called.
   * @throws {KmsError} `InvalidGrantTokenException`
   */
  readonly find: (token: string, region: string) => Promise<GrantRecord>
}

export function createGrantTokens(
  keyring: Pick<Keyring, 'sealToken' | 'openToken'>,
  lookup: Pick<Lookup, 'grants' | 'key'>,
  findGrant: StoreReads['findGrant'],
): GrantTokens {
  return {
    seal(grant) {
      const { accountId, region, keyId, grantId } = grant
      const address = [accountId, region, keyId, grantId, granteeOf(grant)]
      return keyring.sealToken('grant', '', Buffer.from(JSON.stringify(address)))
    },
    async find(token, region) {
      const { key, grantId, grantee } = addressOf(token, keyring)
      if (key.region !== region) throw invalid()
      // A key that is deleted takes all of its grants with it, and they are not told one by one.
      const known = await lookup.key(key)
      const grants = known && (await lookup.grants(key, grantee))
      // A grantee that was renamed since is known by another name now.
      const grant =
        grants?.find((one) => one.grantId === grantId) ??
        (known && (await findGrant({ ...key, grantId })))
      if (grant === undefined) throw invalid()
      return grant
    },
  }
}

function addressOf(
  token: string,
  keyring: Pick<Keyring, 'openToken'>,
): { readonly key: KeyRef; readonly grantId: string; readonly grantee: string } {
  try {
    const address = keyring.openToken('grant', '', token).toString('utf8')
    const [accountId = '', region = '', keyId = '', grantId = '', grantee = ''] = JSON.parse(
      address,
    ) as readonly string[] // sealed above
    return { key: { accountId, region, keyId }, grantId, grantee }
  } catch (error) {
    if (error instanceof NotAuthentic) throw invalid()
    throw error
  }
}

function invalid(): KmsError {
  return new KmsError('InvalidGrantTokenException')
}
