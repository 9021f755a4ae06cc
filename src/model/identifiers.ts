/**
 * Reads the key and alias identifiers that callers write, with AWS's errors.
 * Source: recorded answers of AWS KMS. An ARN of a form that no recording covers is refused as not
 * found.
 * @module
 */
import { KmsError } from '../errors.ts'
import { parseArn } from './arn.ts'
import type { AliasRef, KeyRef } from './key.ts'

/** The account, Region and partition that a request is made in. Relative identifiers belong to it. */
export interface RequestScope {
  readonly accountId: string
  readonly region: string
  readonly partition: string
}

export type Identifier =
  | { readonly kind: 'key'; readonly key: KeyRef }
  | { readonly kind: 'alias'; readonly alias: AliasRef }

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const multiRegionId = /^mrk-[0-9a-f]{32}$/i

/**
 * @throws {KmsError} `InvalidArnException` for an alias if only keys are allowed,
 * `NotFoundException` if the text names no key of this Region
 */
export function readIdentifier(
  text: string,
  forms: 'key' | 'any',
  scope: RequestScope,
): Identifier {
  const { accountId, region } = scope
  if (text.startsWith('arn:')) return readArn(text, forms, scope)
  if (text.startsWith('alias/')) {
    if (forms === 'key') throw aliasRefused()
    return { kind: 'alias', alias: { accountId, region, name: text } }
  }
  if (!isKeyId(text)) throw new KmsError('NotFoundException', `Invalid keyId '${text}'`)
  return { kind: 'key', key: { accountId, region, keyId: text } }
}

function readArn(text: string, forms: 'key' | 'any', scope: RequestScope): Identifier {
  const arn = parseArn(text)
  const alias = arn?.resource.startsWith('alias/') === true
  if (alias && forms === 'key') throw aliasRefused()
  const known = arn?.service === 'kms' && arn.partition === scope.partition
  // Lookups use the account as written here, so it must be twelve digits as it is everywhere else.
  if (arn === undefined || !known || !/^\d{12}$/.test(arn.accountId)) {
    throw new KmsError('InvalidArnException', `Invalid arn ${text}`)
  }
  if (arn.region !== scope.region) {
    throw new KmsError('NotFoundException', `Invalid arn ${arn.region}`)
  }
  const { accountId, region, resource } = arn
  if (alias) return { kind: 'alias', alias: { accountId, region, name: resource } }
  const keyId = resource.startsWith('key/') ? resource.slice('key/'.length) : resource
  if (!resource.startsWith('key/') || !isKeyId(keyId)) {
    throw new KmsError('NotFoundException', `Invalid keyId ${keyId}`)
  }
  return { kind: 'key', key: { accountId, region, keyId } }
}

function isKeyId(text: string): boolean {
  return uuid.test(text) || multiRegionId.test(text)
}

function aliasRefused(): KmsError {
  return new KmsError('InvalidArnException', 'Key Aliases are not supported for this operation.')
}
