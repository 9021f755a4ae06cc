/**
 * Policies of identities at the time they are written: the checks that key policies have too, in the
 * words of IAM where those are known, and sizes that count no white space.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @module
 */
import { describeFault } from '../../authorize/malformed.ts'
import { readPolicy } from '../../authorize/validate.ts'
import { KmsError } from '../../errors.ts'

/** @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException` */
export function checkIdentityPolicy(document: string): void {
  const result = readPolicy(document, 'identity')
  if (result.ok) return
  const { fault } = result
  const said = fault.kind === 'json' ? 'Syntax errors in policy.' : describeFault(fault)
  const code = fault.kind === 'size' ? 'LimitExceededException' : 'MalformedPolicyDocumentException'
  throw new KmsError(code, said)
}

/** Characters of a policy as IAM counts them. */
export function policySize(document: string): number {
  return document.replaceAll(/\s/g, '').length
}
