/**
 * The principals of grants: those in a request must exist, and those that are gone show as their unique
 * ids.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grantee-principal
 * @module
 */
import { readPrincipal } from '../../authorize/principals.ts'
import { KmsError } from '../../errors.ts'
import { invokingService, type Caller } from '../../model/caller.ts'
import { infrastructureRoleOf, readInfrastructurePrincipal } from '../../model/infrastructure.ts'
import type { Principals } from '../operation.ts'

export interface GrantPrincipal {
  readonly arn: string
  readonly uniqueId: string
  readonly accountId: string
}

/** The message for what looks like no ARN at all: a bare id is taken for one of a principal that is gone. */
export async function findGrantPrincipal(
  text: string,
  partition: string,
  principals: Principals,
  notAnArn: string,
): Promise<GrantPrincipal> {
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
 * The infrastructure principal that `text` names, which only its own service can name: for the caller's
 * account, or in its own name for any that there is. Undefined for what is none.
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
  const service = invokingService(caller)
  const own = service !== undefined && named.roleName === infrastructureRoleOf(service.name)
  const { accountId } = named
  const there =
    caller.service === undefined
      ? accountId === caller.accountId
      : (await principals.idOf(`arn:aws:iam::${accountId}:root`)) === accountId
  if (!own || !there) throw invalidArn(refused)
  return { arn: text, uniqueId: text }
}

function invalidArn(message: string): KmsError {
  return new KmsError('InvalidArnException', message)
}
