/**
 * What temporary credentials may not be used for, whatever policies say.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import type { SessionKind } from '../model/session.ts'
import type { Operation } from '../operations/contract/operation.ts'

/** The operations of STS that each kind of session may call; undefined for all but those below. */
const served: Readonly<Record<Exclude<SessionKind, 'role'>, readonly string[]>> = {
  infrastructure: [],
  user: ['AssumeRole', 'GetCallerIdentity'],
  federated: ['GetCallerIdentity'],
}
const longTermOnly = ['GetFederationToken', 'GetSessionToken']

/**
 * @throws {KmsError} `UnrecognizedClientException` for IAM by sessions without MFA, as AWS refuses it;
 *   `AccessDeniedException` for operations of STS that sessions do not have
 */
export function requireServedSession(
  { session }: Caller,
  { service, name }: Pick<Operation, 'service' | 'name'>,
): void {
  if (session === undefined) return
  const { kind } = session
  if (service === 'iam' && kind !== 'role') {
    throw new KmsError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    )
  }
  if (service !== 'sts') return
  const may = kind === 'role' ? !longTermOnly.includes(name) : served[kind].includes(name)
  if (may) return
  throw new KmsError('AccessDeniedException', `Cannot call ${name} with session credentials`)
}
