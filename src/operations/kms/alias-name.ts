/**
 * Rules for alias names, alias targets and the number of aliases, with AWS's messages.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/alias-create.html
 * @module
 */
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import type { KeyRef } from '../../model/key.ts'
import type { StoreReads } from '../../store/store.ts'
import type { ResourceQuotas } from '../../throttle/profiles.ts'
import { requireUnderQuota } from './resource-quota.ts'

/**
 * Checks the name of an alias that a customer creates, updates or deletes.
 * @throws {KmsError} `ValidationException` for a name without prefix or with a colon,
 *   `InvalidAliasNameException` for the bare prefix, `NotAuthorizedException` for AWS's own names
 */
export function checkAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    const guide = 'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html'
    throw new KmsError(
      'ValidationException',
      `Alias must start with the prefix "alias/". Please see ${guide}`,
    )
  }
  if (name.includes(':')) {
    throw new KmsError('ValidationException', `${name} contains invalid characters for an alias`)
  }
  if (name === 'alias/') {
    throw new KmsError('InvalidAliasNameException', 'an alias has a name after `alias/`')
  }
  if (name.startsWith('alias/aws/')) throw new KmsError('NotAuthorizedException')
}

/** @throws {KmsError} `ValidationException` when the target of an alias is another alias */
export function checkAliasTarget(target: string): void {
  const resource = target.startsWith('arn:') ? parseArn(target)?.resource : target
  if (resource?.startsWith('alias/') === true) {
    throw new KmsError('ValidationException', 'Aliases must refer to keys. Not aliases')
  }
}

/** @throws {KmsError} `LimitExceededException` when `key` has the maximum number of aliases */
export async function requireAliasQuota(
  store: Pick<StoreReads, 'countAliases'>,
  key: KeyRef,
  { aliasesPerKey }: ResourceQuotas,
): Promise<void> {
  const quota = 'Aliases per key quota for this account in this region'
  await requireUnderQuota(aliasesPerKey, () => store.countAliases(key), quota)
}
