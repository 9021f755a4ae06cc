/**
 * When each role was last used by one of its sessions. A crash loses the uses of the last `saveDelayMs`
 * milliseconds; the audit journal still has them.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
 * @module
 */
import { roleIdOf, type Caller } from '../model/caller.ts'
import type { RoleUse } from '../model/role.ts'
import type { Store } from '../store/store.ts'
import { createLatestNotes, latestOf } from './latest-notes.ts'
import type { RoleUses } from '../operations/contract/dependencies.ts'

/** Sessions make many calls, and AWS itself shows a last use hours later. */
const saveDelayMs = 10_000
const savedMax = 5000
const keptMax = 50_000

export interface OpenRoleUses extends RoleUses {
  /**
   * Notes a call when its audit record is durable: a session's call uses its role, whatever its
   * outcome.
   * @param usedAt the time of the record, in milliseconds since the epoch
   */
  note(caller: Caller, region: string, usedAt: number): void
  /** Noted uses that are not saved yet. */
  remembered(roleId: string): readonly RoleUse[]
  /**
   * Saves what is in memory. Nothing may be noted after this call, and the store must still be open.
   */
  close(): Promise<void>
}

export interface RoleUsesOptions {
  readonly store: Pick<Store, 'findRoleUse' | 'saveRoleUses'>
  /** Called when uses could not be saved; they are tried again. */
  readonly onError: (error: Error) => void
  /** The answer of `remembered` in the other workers. */
  readonly elsewhere?: ((roleId: string) => Promise<readonly RoleUse[]>) | undefined
  readonly saveDelayMs?: number
}

export function createRoleUses(options: RoleUsesOptions): OpenRoleUses {
  const { store, onError } = options
  const notes = createLatestNotes<RoleUse>({
    saveDelayMs,
    ...options,
    savedMax,
    keptMax,
    nameOf: ({ roleId }) => roleId,
    replaces: (use, known) => known.usedAt <= use.usedAt,
    save: (uses) => store.saveRoleUses(uses),
    onError: (cause) => onError(new Error('last uses of roles are not saved yet', { cause })),
  })
  return {
    note(caller, region, usedAt) {
      if (caller.kind === 'assumed-role') notes.note({ roleId: roleIdOf(caller), region, usedAt })
    },
    async lastOf(roleId) {
      // Memory is read before the store: a use that is saved in between would otherwise be missed in
      // both.
      const remembered = await notes.known(roleId)
      const stored = await store.findRoleUse(roleId)
      return latestOf(stored === undefined ? remembered : [...remembered, stored])
    },
    remembered: (roleId) => notes.remembered(roleId),
    close: () => notes.close(),
  }
}
