/** Notes when a caller's role and access key were last used. @module */
import { invokingService, type Caller } from '../model/caller.ts'
import type { OpenAccessKeyUses } from './last-access-key-use.ts'
import type { OpenRoleUses } from './last-role-use.ts'

export interface IdentityUses {
  /**
   * Notes a call when its audit record is durable, whatever the call's outcome.
   * @param usedAt the time of the record, in milliseconds since the epoch
   */
  note(call: UsingCall, usedAt: number): void
}

interface UsingCall {
  readonly caller: Caller
  readonly operation: { readonly service: string }
  readonly scope: { readonly region: string }
}

export function createIdentityUses(
  roleUses: Pick<OpenRoleUses, 'note'>,
  accessKeyUses: Pick<OpenAccessKeyUses, 'note'>,
): IdentityUses {
  return {
    note({ caller, operation, scope: { region } }, usedAt) {
      roleUses.note(caller, region, usedAt)
      // A call signed by a service does not use its user's key, and the service's own key belongs to no
      // account. Credentials of XKS proxies are no access keys.
      if (invokingService(caller) !== undefined || caller.kind === 'xks-client') return
      accessKeyUses.note(caller, operation.service, region, usedAt)
    },
  }
}
