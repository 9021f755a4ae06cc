/**
 * Step 3 for the one call without a signature: AssumeRoleWithWebIdentity. The caller is the subject
 * that the provider's token proves. The provider must be registered in the account of the role that the
 * call names.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * @module
 */
import { KmsError } from '../errors.ts'
import { parseArn } from '../model/arn.ts'
import type { Caller } from '../model/caller.ts'
import { oidcProviderArn, readIssuer, type OidcProviderRecord } from '../model/oidc-provider.ts'
import type { StoreReads } from '../store/store.ts'
import { claimedIssuer, verifyIdentityToken } from './identity-token.ts'
import { DocumentFailed } from './issuer-documents.ts'
import type { IssuerKeys } from './issuer-keys.ts'

export interface WebIdentityDependencies {
  readonly store: Pick<StoreReads, 'findOidcProvider'>
  readonly issuerKeys: IssuerKeys
  /** Milliseconds since the epoch of the system clock. */
  readonly systemNow: () => number
}

/** The members of the call that identify the caller. */
export interface GivenIdentity {
  readonly roleArn: string
  readonly token: string
}

/**
 * @throws {KmsError} `ValidationException`, `IDPCommunicationErrorException`, and the errors of invalid
 *   tokens
 */
export async function authenticateWebIdentity(
  { roleArn, token }: GivenIdentity,
  partition: string,
  { store, issuerKeys, systemNow }: WebIdentityDependencies,
): Promise<Caller> {
  const role = parseArn(roleArn)
  if (role?.service !== 'iam' || role.partition !== partition) {
    throw new KmsError('ValidationException', `${roleArn} is invalid`)
  }
  const { accountId } = role
  const issuer = claimedIssuer(token)
  const name = readIssuer(issuer)?.name
  const provider =
    name === undefined ? undefined : await store.findOidcProvider({ accountId, name })
  // Only issuers that the account registered are ever contacted.
  if (provider?.url !== issuer) {
    throw new KmsError(
      'InvalidIdentityTokenException',
      `No OpenIDConnect provider found in your account for ${issuer}`,
    )
  }
  return identify(provider, token, partition, { issuerKeys, systemNow }).catch((error: unknown) => {
    if (!(error instanceof DocumentFailed)) throw error
    const message =
      "Couldn't retrieve verification key from your identity provider, please reference " +
      'AssumeRoleWithWebIdentity documentation for requirements'
    throw new KmsError('IDPCommunicationErrorException', message, { cause: error })
  })
}

async function identify(
  provider: OidcProviderRecord,
  token: string,
  partition: string,
  { issuerKeys, systemNow }: Omit<WebIdentityDependencies, 'store'>,
): Promise<Caller> {
  const keys = issuerKeys.of(provider)
  const proven = await verifyIdentityToken(token, provider, keys, systemNow())
  const { subject, audience } = proven
  const arn = oidcProviderArn(partition, provider)
  return {
    kind: 'web-identity',
    accountId: provider.accountId,
    arn,
    uniqueId: `${arn}:${audience}:${subject}`,
    userName: subject,
    webIdentity: { provider: provider.name, ...proven },
  }
}
