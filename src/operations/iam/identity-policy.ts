/**
 * Checks identity policies when they are written. The checks are those of key policies, with IAM's messages
 * where they are known. Sizes do not count white space.
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
  const message = fault.kind === 'json' ? 'Syntax errors in policy.' : describeFault(fault)
  const code = fault.kind === 'size' ? 'LimitExceededException' : 'MalformedPolicyDocumentException'
  throw new KmsError(code, message)
}

/**
 * Checks the session policy of a role session, in which AWS accepts no incomplete ARN.
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

/** The number of characters of a policy, without its white space, as IAM counts them. */
export function policySize(document: string): number {
  return document.replaceAll(/\s/g, '').length
}
