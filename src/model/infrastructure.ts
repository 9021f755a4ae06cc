/**
 * Infrastructure principals: what a service runs for an account, such as the host of one EC2
 * instance. Their names contain colons, which a role's name cannot, so that no account can create
 * one.
 * @module
 */
import { signingNameOf } from './service.ts'

export interface InfrastructureRef {
  readonly accountId: string
  /** `aws:ec2-infrastructure` */
  readonly roleName: string
  /** `i-81e2f56c` */
  readonly resource: string
}

/** Characters that the resource's name may contain, as in the name of a role session. */
export const infrastructureResourcePattern = '^[\\w+=,.@-]{2,64}$'

const principalPattern = /^(\d{12}):(aws:[a-z0-9-]{1,64}-infrastructure):([\w+=,.@-]{2,64})$/

/**
 * The role of all infrastructure of a service: `aws:ec2-infrastructure` for `ec2.amazonaws.com`.
 */
export function infrastructureRoleOf(serviceName: string): string {
  return `aws:${signingNameOf(serviceName)}-infrastructure`
}

/** Its name in grants, and its unique id: `111122223333:aws:ec2-infrastructure:i-81e2f56c`. */
export function infrastructurePrincipal({
  accountId,
  roleName,
  resource,
}: InfrastructureRef): string {
  return `${accountId}:${roleName}:${resource}`
}

/** Returns undefined for other text. */
export function readInfrastructurePrincipal(text: string): InfrastructureRef | undefined {
  const [, accountId, roleName, resource] = principalPattern.exec(text) ?? []
  if (accountId === undefined || roleName === undefined || resource === undefined) return undefined
  return { accountId, roleName, resource }
}
