/**
 * Limits what temporary credentials may call, whatever policies say.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { Caller } from '../model/caller.ts'
import type { SessionKind } from '../model/session.ts'
import type { Operation } from '../operations/contract/operation.ts'

/** The STS operations that each kind of session may call. Role sessions may call all but those below. */
const served: Readonly<Record<Exclude<SessionKind, 'role'>, readonly string[]>> = {
  infrastructure: [],
  user: ['AssumeRole', 'GetCallerIdentity'],
  federated: ['GetCallerIdentity'],
}
const longTermOnly = ['GetFederationToken', 'GetSessionToken']

/**
 * @throws {KmsError} `UnrecognizedClientException` for IAM with a session without MFA, as at AWS;
 *   `AccessDeniedException` for STS operations that the session may not call
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
