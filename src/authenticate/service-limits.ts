/**
 * Limits what services may call, whatever policies say: in their own name, for a user, and through
 * their infrastructure.
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import { grantOperations } from '../model/grant.ts'
import type { Operation } from '../operations/contract/operation.ts'

const grantable: ReadonlySet<string> = new Set(grantOperations.map((name) => `kms:${name}`))

/**
 * Refuses calls that services may not make. For a user, and through its infrastructure, a service may
 * use only what a grant could give: never IAM, STS, a key's policy or its lifecycle. In its own name it
 * may call KMS and the operations made for services.
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

/** Whether a grant could give everything that the operation needs. */
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
