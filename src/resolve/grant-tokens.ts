/**
 * Grant tokens: sealed, and self-contained enough to find their grant. A grant holds at once, so that a
 * token adds nothing to it; but one that was not issued here, or whose grant is gone, fails its call.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/using-grant-token.html
 * @module
 */
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import { KmsError } from '../errors.ts'
import type { GrantRecord, GrantRef } from '../model/grant.ts'
import type { Lookup } from '../cache/cached-records.ts'

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
  lookup: Pick<Lookup, 'grant' | 'key'>,
): GrantTokens {
  return {
    seal(grant) {
      const { accountId, region, keyId, grantId } = grant
      const address = [accountId, region, keyId, grantId]
      return keyring.sealToken('grant', '', Buffer.from(JSON.stringify(address)))
    },
    async find(token, region) {
      const ref = addressOf(token, keyring)
      if (ref.region !== region) throw invalid()
      // A key that is deleted takes all of its grants with it.
      const known = await lookup.key(ref)
      const grant = known && (await lookup.grant(ref))
      if (grant === undefined) throw invalid()
      return grant
    },
  }
}

function addressOf(token: string, keyring: Pick<Keyring, 'openToken'>): GrantRef {
  try {
    const address = keyring.openToken('grant', '', token).toString('utf8')
    const [accountId = '', region = '', keyId = '', grantId = ''] = JSON.parse(
      address,
    ) as readonly string[] // sealed above
    return { accountId, region, keyId, grantId }
  } catch (error) {
    if (error instanceof NotAuthentic) throw invalid()
    throw error
  }
}

function invalid(): KmsError {
  return new KmsError('InvalidGrantTokenException')
}
