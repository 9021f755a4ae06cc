/**
 * Grant tokens: sealed texts that hold enough to find their grant. A grant is effective at once, so a
 * token adds no permission. But a call fails when its token was not issued here or its grant is gone.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/using-grant-token.html
 * @module
 */
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import { KmsError } from '../errors.ts'
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { GrantRecord, GrantRef } from '../model/grant.ts'
import type { Lookup } from '../cache/cached-records.ts'

export interface GrantTokens {
  /** Makes a new token, different each time. Its text is not secret, but is not logged. */
  readonly seal: (grant: GrantRecord) => string
  /**
   * The grant of a token, which must be of the called Region.
   * @throws {KmsError} `InvalidGrantTokenException`
   */
  readonly find: (token: string, region: string) => Awaitable<GrantRecord>
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
    find(token, region) {
      const ref = addressOf(token, keyring)
      if (ref.region !== region) throw invalid()
      // Deleting a key deletes all of its grants.
      const found = andThen(lookup.key(ref), (known) => known && lookup.grant(ref))
      return andThen(found, (grant) => {
        if (grant === undefined) throw invalid()
        return grant
      })
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
