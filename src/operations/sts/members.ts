/** Input members that several STS operations share. Source: the `sts-2011-06-15` model. @module */
import { KmsError } from '../../errors.ts'
import { integer, list, structure, text } from '../../model/shape.ts'
import { policyArn, tag } from '../iam/members.ts'

export const roleArn = policyArn
/** For names of sessions, source identities and federated users; each has its own maximum length. */
const namePattern = '^[\\w+=,.@-]*$'
export const sessionName = text({ min: 2, max: 64, pattern: namePattern })
export const federatedName = text({ min: 2, max: 32, pattern: namePattern })
export const sessionPolicy = text({ min: 1, max: 2048 })
export const policyArns = list(structure({ arn: policyArn }), { max: 10 })
export const sessionTags = list(tag, { max: 50 })
export const tagKeys = list(text({ min: 1, max: 128 }), { max: 50 })
export const serialNumber = text({ min: 9, max: 256 })
export const tokenCode = text({ min: 6, max: 6 })
export const externalId = text({ min: 2, max: 1224, pattern: '^[\\w+=,.@:\\/-]*$' })
export const providedContexts = list(
  structure({ ProviderArn: policyArn, ContextAssertion: text({ min: 4, max: 2048 }) }),
  { min: 1, max: 5 },
)
export const tokenSize = integer({ min: 0, max: 4096 })
export const roleSeconds = integer({ min: 900, max: 43_200 })
export const tokenSeconds = integer({ min: 900, max: 129_600 })

/** Trent has no MFA devices, so every MFA code is wrong. @throws {KmsError} `AccessDeniedException` */
export function refuseMfa(input: {
  readonly SerialNumber?: string
  readonly TokenCode?: string
}): void {
  if (input.SerialNumber === undefined && input.TokenCode === undefined) return
  throw new KmsError(
    'AccessDeniedException',
    'MultiFactorAuthentication failed with invalid MFA one time pass code.',
  )
}
