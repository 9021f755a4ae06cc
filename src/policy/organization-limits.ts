/**
 * Applies the limits of the organisations of the caller's and the resource's account. Service control
 * policies limit an account's principals, whatever else allows them. Resource control policies limit
 * access to the account's resources by any principal. Neither applies to service-linked roles.
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
 * @module
 */
import type { Caller, CallerKind } from '../model/caller.ts'
import { parseArn } from '../model/arn.ts'
import { roleArnOf } from './caller-names.ts'
import type { CompiledPolicy } from './compile.ts'
import type { AuthorizationRequest, Policies } from './decision.ts'

export type Controls = Pick<Policies, 'serviceControl' | 'resourceControl'>

/** The kinds of callers that are principals of an account. */
const principals: ReadonlySet<CallerKind> = new Set([
  'root',
  'user',
  'assumed-role',
  'federated-user',
])
/** The services with resources that can be limited, of those that Trent implements. */
const limitedServices: ReadonlySet<string> = new Set(['kms', 'sts'])

/** The organisation policies that apply to the request. */
export function controlledBy(
  { caller, action, resource }: AuthorizationRequest,
  { serviceControl, resourceControl }: Controls,
): Controls {
  if (serviceControl === undefined && resourceControl === undefined) return {}
  const linked = isServiceLinked(roleArnOf(caller))
  const limitsCaller = serviceControl !== undefined && principals.has(caller.kind) && !linked
  const [service = ''] = action.split(':')
  const limitsResource =
    resourceControl !== undefined &&
    limitedServices.has(service) &&
    action !== 'kms:RetireGrant' &&
    !isInsider(caller) &&
    !linked &&
    !isServiceLinked(resource.arn)
  return {
    ...(limitsCaller && { serviceControl }),
    ...(limitsResource && { resourceControl }),
  }
}

/** Whether some level of the organisation does not allow. @param allows whether a policy allows */
export function serviceControlGap(
  levels: Controls['serviceControl'] = [],
  allows: (policy: CompiledPolicy) => boolean,
): boolean {
  return levels.some((policies) => !policies.some(allows))
}

/** Only services' own roles have this path. Nobody else can create a role there. */
function isServiceLinked(arn: string | undefined): boolean {
  const { service, resource } = parseArn(arn ?? '') ?? {}
  return service === 'iam' && resource?.startsWith('role/aws-service-role/') === true
}

function isInsider({ kind }: Caller): boolean {
  return kind === 'operator' || kind === 'test'
}
