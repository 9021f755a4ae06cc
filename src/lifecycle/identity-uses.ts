/** What a call says of the last uses of its caller's role and access key. @module */
import { invokingService, type Caller } from '../model/caller.ts'
import type { OpenAccessKeyUses } from './last-access-key-use.ts'
import type { OpenRoleUses } from './last-role-use.ts'

export interface IdentityUses {
  /**
   * Notes a call whose audit record is durable, whatever it was told.
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
      // What a service signs is no use of its user's key, and its own is nobody's in an account.
      if (invokingService(caller) !== undefined) return
      accessKeyUses.note(caller, operation.service, region, usedAt)
    },
  }
}
