/**
 * What services may not be used for, whatever policies say: neither in their own name nor for a user, nor by
 * what they run.
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import { grantOperations } from '../model/grant.ts'
import type { Operation } from '../operations/contract/operation.ts'

const grantable: ReadonlySet<string> = new Set(grantOperations.map((name) => `kms:${name}`))

/**
 * For a user, and by its infrastructure, a service may what a grant could give, and nothing else: never IAM,
 * STS, a key's policy or its life. In its own name it may call KMS, and what is made for services.
 * @throws {KmsError} `AccessDeniedException`
 */
export function requireServedByService(
  { kind, forwarded, service }: Caller,
  operation: Pick<Operation, 'service' | 'door' | 'name' | 'keys' | 'alias' | 'permissions'>,
): void {
  const own = service !== undefined
  if (!own && forwarded === undefined && kind !== 'infrastructure') return
  if (own ? operation.service === 'kms' || operation.door === 'service' : isGrantable(operation)) {
    return
  }
  const whose = own
    ? 'the credentials of a service'
    : kind === 'infrastructure'
      ? 'the credentials of a service’s infrastructure'
      : 'a forward access session'
  throw new KmsError('AccessDeniedException', `Cannot call ${operation.name} with ${whose}`)
}

/** Whether all that the operation asks for is what a grant can give. */
export function isGrantable({
  service,
  keys,
  alias,
  permissions,
}: Pick<Operation, 'service' | 'keys' | 'alias' | 'permissions'>): boolean {
  const actions = Object.values(keys).map(({ action }) => action)
  return (
    service === 'kms' &&
    alias === undefined &&
    permissions === undefined &&
    actions.length > 0 &&
    actions.every((action) => grantable.has(action))
  )
}
