/**
 * Checks the form of organisation policies. Service control policies are written like identity
 * policies. Resource control policies deny, for every principal, and name the service.
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 * @module
 */
import { refuse } from './reading.ts'

/** Characters, including white space. */
export const organizationPolicyCharactersMax = 5120

export function requireOrganizationVersion(version: unknown): void {
  if (version !== '2012-10-17') refuse('Version', 'it is not 2012-10-17')
}

type Given = ReadonlyMap<string, unknown>

export function requireResourceControlForm(given: Given, at: string): void {
  for (const element of ['NotPrincipal', 'NotAction']) {
    if (given.has(element)) refuse(at, `a resource control policy has no ${element}`)
  }
  if (given.get('Principal') !== '*') {
    refuse(`${at}.Principal`, 'a resource control policy is for every principal: `"*"`')
  }
  if (isFullAccess(given)) return
  if (given.get('Effect') === 'Allow') {
    refuse(`${at}.Effect`, 'a resource control policy denies, but for RCPFullAWSAccess')
  }
  const actions: unknown = given.get('Action')
  if ((Array.isArray(actions) ? actions : [actions]).includes('*')) {
    refuse(`${at}.Action`, 'an action of a resource control policy names its service')
  }
}

/** Whether this is RCPFullAWSAccess, which AWS attaches everywhere and which limits nothing. */
function isFullAccess(given: Given): boolean {
  const isStar = (name: string): boolean => {
    const value: unknown = given.get(name)
    return value === '*' || (Array.isArray(value) && value.length === 1 && value[0] === '*')
  }
  return (
    given.get('Effect') === 'Allow' &&
    !given.has('Condition') &&
    isStar('Action') &&
    isStar('Resource')
  )
}
