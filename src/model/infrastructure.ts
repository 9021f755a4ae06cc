/**
 * Infrastructure principals: what a service runs for an account, such as the host of one EC2 instance. Their
 * names hold colons where no role's may, so that no account can make one.
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

/** What the resource's name may be made of, as the name of any session of a role. */
export const infrastructureResourcePattern = '^[\\w+=,.@-]{2,64}$'

const principalPattern = /^(\d{12}):(aws:[a-z0-9-]{1,64}-infrastructure):([\w+=,.@-]{2,64})$/

/** The role of all of a service's infrastructure: `aws:ec2-infrastructure` of `ec2.amazonaws.com`. */
export function infrastructureRoleOf(serviceName: string): string {
  return `aws:${signingNameOf(serviceName)}-infrastructure`
}

/** As grants name it, and as its unique id is: `111122223333:aws:ec2-infrastructure:i-81e2f56c`. */
export function infrastructurePrincipal({
  accountId,
  roleName,
  resource,
}: InfrastructureRef): string {
  return `${accountId}:${roleName}:${resource}`
}

/** Undefined for what is none. */
export function readInfrastructurePrincipal(text: string): InfrastructureRef | undefined {
  const [, accountId, roleName, resource] = principalPattern.exec(text) ?? []
  if (accountId === undefined || roleName === undefined || resource === undefined) return undefined
  return { accountId, roleName, resource }
}
