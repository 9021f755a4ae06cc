/** An organisation and policies of it. @module */
import { documentOf } from './identities.ts'

export const organizationId = 'o-a1b2c3d4e5'
export const organizationUnit = 'r-ab12/ou-ab12-11111111'
export const fullAccess = documentOf({ Action: '*' })
export const noDecrypt = documentOf({ Effect: 'Deny', Action: 'kms:Decrypt' })
/** Nobody from elsewhere. */
export const keepOut = documentOf({
  Effect: 'Deny',
  Principal: '*',
  Action: ['kms:*', 'sts:AssumeRole'],
  Condition: { StringNotEqualsIfExists: { 'aws:PrincipalOrgID': organizationId } },
})
