/**
 * Finds the principals that a grant names. They must exist in a request; deleted ones appear as their
 * unique ids.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grantee-principal
 * @module
 */
import { readPrincipal } from '../../policy/principals.ts'
import { KmsError } from '../../errors.ts'
import { invokingService, type Caller } from '../../model/caller.ts'
import { infrastructureRoleOf, readInfrastructurePrincipal } from '../../model/infrastructure.ts'
import { readRoleId } from '../../model/role.ts'
import { isServicePrincipal } from '../../model/service.ts'
import type { Principals } from '../contract/dependencies.ts'

export interface GrantPrincipal {
  /** The service name if the principal is a service. */
  readonly arn: string
  /** Also the service name if the principal is a service. */
  readonly uniqueId: string
  /** Empty for a service, which has no account. */
  readonly accountId: string
}

/**
 * Finds the principal that `text` names. `text` is an ARN, the unique id of a role or of its session while
 * the role exists, or the name of a service, registered or not.
 * @param notAnArn the message for other texts and for ids of deleted roles
 * @throws {KmsError} `InvalidArnException`
 */
export async function findGrantPrincipal(
  text: string,
  partition: string,
  principals: Principals,
  notAnArn: string,
): Promise<GrantPrincipal> {
  if (isServicePrincipal(text)) return { arn: text, uniqueId: text, accountId: '' }
  if (readRoleId(text) !== undefined) {
    const found = await principals.ofRoleId(text, partition)
    if (found === undefined) throw invalidArn(notAnArn)
    return found
  }
  if (!text.startsWith('arn:')) throw invalidArn(notAnArn)
  const principal = readPrincipal('AWS', text)
  if (principal === undefined || !('accountId' in principal)) {
    throw invalidArn(`ARN is not valid: ${text}`)
  }
  const uniqueId = principal.partition === partition ? await principals.idOf(text) : undefined
  if (uniqueId === undefined) {
    throw invalidArn(`ARN does not refer to a valid principal: ${text}`)
  }
  return { arn: text, uniqueId, accountId: principal.accountId }
}

/**
 * Finds the infrastructure principal that `text` names; undefined for other text. Only its own service can
 * name it: on behalf of a user in the user's account, in its own name in any account, and as
 * infrastructure in the same account.
 * @throws {KmsError} `InvalidArnException`
 */
export async function findInfrastructure(
  text: string,
  caller: Caller,
  principals: Principals,
  refused: string,
): Promise<Pick<GrantPrincipal, 'arn' | 'uniqueId'> | undefined> {
  const named = readInfrastructurePrincipal(text)
  if (named === undefined) return undefined
  const own = named.roleName === infrastructureRoleNamedBy(caller)
  const { accountId } = named
  const there =
    caller.service === undefined
      ? accountId === caller.accountId
      : (await principals.idOf(`arn:aws:iam::${accountId}:root`)) === accountId
  if (!own || !there) throw invalidArn(refused)
  return { arn: text, uniqueId: text }
}

/**
 * The infrastructure role of the calling service, or of the service that the caller is infrastructure of.
 */
function infrastructureRoleNamedBy(caller: Caller): string | undefined {
  const service = invokingService(caller)
  if (service !== undefined) return infrastructureRoleOf(service.name)
  return caller.kind === 'infrastructure'
    ? readInfrastructurePrincipal(caller.uniqueId)?.roleName
    : undefined
}

/**
 * Infrastructure loses access when its service is removed, and so must every grantee of it. It can
 * therefore grant only to infrastructure of its own service and account.
 * @throws {KmsError} `AccessDeniedException`
 */
export function requireGranteeWithinService(caller: Caller, grantee: string | undefined): void {
  if (caller.kind !== 'infrastructure') return
  if (grantee !== undefined && readInfrastructurePrincipal(grantee) !== undefined) return
  throw new KmsError(
    'AccessDeniedException',
    'Cannot call CreateGrant with the credentials of a service’s infrastructure for a grantee that is ' +
      'not infrastructure of this service',
  )
}

function invalidArn(message: string): KmsError {
  return new KmsError('InvalidArnException', message)
}
