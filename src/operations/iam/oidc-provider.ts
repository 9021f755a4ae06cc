/** OpenID Connect providers in IAM operations: members, checks, and look-up by ARN. @module */
import { KmsError } from '../../errors.ts'
import {
  readIssuer,
  readOidcProviderArn,
  type OidcProviderRecord,
} from '../../model/oidc-provider.ts'
import { list, text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Permission } from '../contract/operation.ts'

export const providerArn = text({ min: 20, max: 2048 })
export const providerUrl = text({ min: 1, max: 255 })
export const clientId = text({ min: 1, max: 255 })
/** AWS's model does not limit the two lists; quotas do, below. */
export const clientIds = list(clientId, { max: 1000 })
export const thumbprints = list(text({ min: 40, max: 40 }), { max: 1000 })

const clientIdsMax = 100
const thumbprintsMax = 5

/** @throws {KmsError} `InvalidInputException` */
export function checkProviderArn(arn: string): void {
  if (readOidcProviderArn(arn) !== undefined) return
  throw new KmsError('InvalidInputException', `Invalid ARN: ${arn}`)
}

/** @throws {KmsError} `ValidationException` */
export function checkIssuer(url: string): void {
  if (readIssuer(url) !== undefined) return
  throw new KmsError('ValidationException', 'Invalid Open ID Connect Provider URL')
}

/** The thumbprints as they are stored: lower case. @throws {KmsError} `InvalidInputException` */
export function thumbprintsOf(given: readonly string[] = []): readonly string[] {
  if (given.length > thumbprintsMax) {
    const message = 'Thumbprint list must contain fewer than 5 entries.'
    throw new KmsError('InvalidInputException', message)
  }
  const wrong = given.some((each) => !/^[0-9A-Fa-f]{40}$/.test(each))
  if (wrong) throw new KmsError('InvalidInputException', 'Invalid thumbprint: not 40 hex digits')
  return given.map((each) => each.toLowerCase())
}

/** The audiences without duplicates. @throws {KmsError} `LimitExceededException` */
export function clientIdsOf(given: readonly string[] = []): readonly string[] {
  const distinct = [...new Set(given)]
  if (distinct.length <= clientIdsMax) return distinct
  throw new KmsError(
    'LimitExceededException',
    `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${clientIdsMax}`,
  )
}

/** The permission `action` on the provider that the call names by its ARN. */
export function providerPermission(action: string, arn: string): readonly Permission[] {
  return [{ action, arn }]
}

/**
 * Finds a provider of the caller's account and partition.
 * @throws {KmsError} `NoSuchEntityException`
 */
export async function oidcProviderOf(
  arn: string,
  call: { readonly partition: string; readonly caller: { readonly accountId: string } },
  store: Pick<StoreReads, 'findOidcProvider'>,
): Promise<OidcProviderRecord> {
  const named = readOidcProviderArn(arn)
  const own = named?.accountId === call.caller.accountId && named.partition === call.partition
  const found = own ? await store.findOidcProvider(named) : undefined
  if (found !== undefined) return found
  throw new KmsError('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${arn}`)
}
