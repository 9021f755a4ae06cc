/** An account in the form of responses to operators. @module */
import type { AccountRecord } from '../../model/access-key.ts'

export interface ShownAccount {
  readonly accountId: string
  readonly alias?: string
  readonly organizationId?: string
  readonly organizationUnit?: string
  readonly serviceControlPolicies?: readonly (readonly string[])[]
  readonly resourceControlPolicies?: readonly string[]
  /** ISO 8601, UTC. */
  readonly createdAt: string
}

export function shownAccount({
  accountId,
  alias,
  organization,
  createdAt,
}: AccountRecord): ShownAccount {
  return {
    accountId,
    ...(alias !== undefined && { alias }),
    ...(organization && {
      organizationId: organization.organizationId,
      ...(organization.unit !== undefined && { organizationUnit: organization.unit }),
      serviceControlPolicies: organization.serviceControlPolicies,
      resourceControlPolicies: organization.resourceControlPolicies,
    }),
    createdAt: new Date(createdAt).toISOString(),
  }
}
