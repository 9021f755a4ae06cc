/**
 * Parses the entries of `Principal` in a key policy. Groups, and wildcards inside an ARN, are not
 * principals. Neither is the unique id of a deleted principal, so a policy that shows one cannot be
 * written back unchanged.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @module
 */
import { parseArn, type Arn } from '../model/arn.ts'
import type { PolicyPrincipal } from './document.ts'

const charsMax = 1024
const accountPattern = /^\d{12}$/
/** A path of printable ASCII without wildcards, then a name. */
const identityPattern = /^(user|role)\/(?:[!-)+->@-~]*\/)?[\w+=,.@-]{1,64}$/
const sessionPattern = /^assumed-role\/[\w+=,.@-]{1,64}\/[\w+=,.@-]{2,64}$/
const federatedUserPattern = /^federated-user\/[\w+=,.@-]{2,64}$/
const providerPattern = /^(?:saml-provider|oidc-provider)\/[\w+=,.@:/-]{1,255}$/
const hostPattern = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/

/** Parses one entry under `type` (`AWS`, `Federated`, `Service`); undefined when it is invalid. */
export function readPrincipal(type: string, value: string): PolicyPrincipal | undefined {
  if (value.length > charsMax) return undefined
  switch (type) {
    case 'AWS':
      return readAwsPrincipal(value)
    case 'Federated':
      return isProvider(value) ? { kind: 'federated', name: value } : undefined
    case 'Service':
      return hostPattern.test(value) ? { kind: 'service', name: value } : undefined
    default:
      return undefined
  }
}

function readAwsPrincipal(value: string): PolicyPrincipal | undefined {
  if (value === '*') return { kind: 'everyone' }
  if (accountPattern.test(value)) return { kind: 'account', accountId: value }
  const arn = parseArn(value)
  if (arn === undefined || arn.region !== '' || !accountPattern.test(arn.accountId))
    return undefined
  const { accountId, partition } = arn
  if (arn.service === 'iam' && arn.resource === 'root') {
    return { kind: 'account', accountId, partition }
  }
  const kind = kindOf(arn)
  return kind === undefined ? undefined : { kind, arn: value, accountId, partition }
}

function kindOf({
  service,
  resource,
}: Arn): 'user' | 'role' | 'session' | 'federated-user' | undefined {
  if (service === 'iam' && identityPattern.test(resource)) {
    return resource.startsWith('user/') ? 'user' : 'role'
  }
  if (service !== 'sts') return undefined
  if (sessionPattern.test(resource)) return 'session'
  return federatedUserPattern.test(resource) ? 'federated-user' : undefined
}

function isProvider(value: string): boolean {
  if (hostPattern.test(value)) return true
  const arn = parseArn(value)
  return arn?.service === 'iam' && accountPattern.test(arn.accountId) && arn.region === ''
    ? providerPattern.test(arn.resource)
    : false
}
