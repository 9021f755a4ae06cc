/**
 * Policies of identities at the time they are written: the checks that key policies have too, in the
 * words of IAM where those are known, and sizes that count no white space.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @module
 */
import type { PolicyDocument } from '../../policy/document.ts'
import { describeFault } from '../../policy/malformed.ts'
import { isIncompleteArn } from '../../policy/resources.ts'
import { readPolicy } from '../../policy/validate.ts'
import { KmsError } from '../../errors.ts'

/** @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException` */
export function checkIdentityPolicy(document: string): PolicyDocument {
  const result = readPolicy(document, 'identity')
  if (result.ok) return result.document
  const { fault } = result
  const said = fault.kind === 'json' ? 'Syntax errors in policy.' : describeFault(fault)
  const code = fault.kind === 'size' ? 'LimitExceededException' : 'MalformedPolicyDocumentException'
  throw new KmsError(code, said)
}

/**
 * The same of a role session's own policy, in which AWS completes no ARN.
 * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function checkRoleSessionPolicy(document: string): void {
  const { statements, version } = checkIdentityPolicy(document)
  const index = statements.findIndex(
    ({ resources }) => resources?.entries.some((entry) => isIncompleteArn(entry, version)) === true,
  )
  if (index === -1) return
  const problem = 'an ARN has fewer than six parts'
  const fault = { kind: 'structure', at: `Statement.${index}.Resource`, problem } as const
  throw new KmsError('MalformedPolicyDocumentException', describeFault(fault))
}

/** Characters of a policy as IAM counts them. */
export function policySize(document: string): number {
  return document.replaceAll(/\s/g, '').length
}
