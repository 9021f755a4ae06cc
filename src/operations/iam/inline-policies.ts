/** The inline policies of a user or a role: documents by name, in its own row. @module */
import { KmsError } from '../../errors.ts'
import type { IdentityKind, IdentityRecord } from '../../model/identity.ts'
import { checkIdentityPolicy, policySize } from './identity-policy.ts'

/** Of all inline policies of one identity together, white space not counted. */
const sizeMax: Readonly<Record<IdentityKind, number>> = {
  user: 2048,
  role: 10_240,
  group: 5120,
}
/** The same with their white space, which IAM does not bound. */
const charactersMax = 32_768

type Policies = IdentityRecord['inlinePolicies']

/** The document of that name. @throws {KmsError} `NoSuchEntityException` */
export function inlinePolicyOf(
  kind: IdentityKind,
  { inlinePolicies }: Pick<IdentityRecord, 'inlinePolicies'>,
  policyName: string,
): string {
  const document = Object.hasOwn(inlinePolicies, policyName)
    ? inlinePolicies[policyName]
    : undefined
  if (document !== undefined) return document
  const message = `The ${kind} policy with name ${policyName} cannot be found.`
  throw new KmsError('NoSuchEntityException', message)
}

/**
 * The policies with one written.
 * @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException`
 */
export function withInlinePolicy(
  kind: IdentityKind,
  { inlinePolicies, name }: Pick<IdentityRecord, 'inlinePolicies' | 'name'>,
  policyName: string,
  document: string,
): Policies {
  checkIdentityPolicy(document)
  const policies = { ...inlinePolicies, [policyName]: document }
  const documents = Object.values(policies)
  const sizeOf = (measure: (text: string) => number): number =>
    documents.reduce((sum, text) => sum + measure(text), 0)
  if (sizeOf(policySize) > sizeMax[kind] || sizeOf(({ length }) => length) > charactersMax) {
    const message = `Maximum policy size of ${sizeMax[kind]} bytes exceeded for ${kind} ${name}`
    throw new KmsError('LimitExceededException', message)
  }
  return policies
}

/** The policies without one. @throws {KmsError} `NoSuchEntityException` */
export function withoutInlinePolicy(
  kind: IdentityKind,
  identity: Pick<IdentityRecord, 'inlinePolicies'>,
  policyName: string,
): Policies {
  inlinePolicyOf(kind, identity, policyName)
  const left = Object.entries(identity.inlinePolicies).filter(([name]) => name !== policyName)
  return Object.fromEntries(left)
}
