/**
 * When each access key was last used. A crash loses the uses of the last `saveDelayMs` milliseconds;
 * the audit journal still has them.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
 * @module
 */
import type { Caller } from '../model/caller.ts'
import type { AccessKeyUse } from '../model/access-key.ts'
import type { Store } from '../store/store.ts'
import { createLatestNotes, latestOf } from './latest-notes.ts'
import type { AccessKeyUses } from '../operations/contract/dependencies.ts'

/** Sessions make many calls, and AWS itself shows a last use hours later. */
const saveDelayMs = 10_000
const savedMax = 5000
const keptMax = 50_000

export interface OpenAccessKeyUses extends AccessKeyUses {
  /**
   * Notes a call when its audit record is durable, whatever the call's outcome. Temporary keys are not
   * stored.
   * @param usedAt the time of the record, in milliseconds since the epoch
   */
  note(caller: Caller, service: string, region: string, usedAt: number): void
  /** Noted uses that are not saved yet. */
  remembered(accessKeyId: string): readonly AccessKeyUse[]
  /**
   * Saves what is in memory. Nothing may be noted after this call, and the store must still be open.
   */
  close(): Promise<void>
}

export interface AccessKeyUsesOptions {
  readonly store: Pick<Store, 'findAccessKeyUse' | 'saveAccessKeyUses'>
  /** Called when uses could not be saved; they are tried again. */
  readonly onError: (error: Error) => void
  /** The answer of `remembered` in the other workers. */
  readonly elsewhere?: ((accessKeyId: string) => Promise<readonly AccessKeyUse[]>) | undefined
  readonly saveDelayMs?: number
}

export function createAccessKeyUses(options: AccessKeyUsesOptions): OpenAccessKeyUses {
  const { store, onError } = options
  const notes = createLatestNotes<AccessKeyUse>({
    saveDelayMs,
    ...options,
    savedMax,
    keptMax,
    nameOf: ({ accessKeyId }) => accessKeyId,
    replaces: (use, known) => known.usedAt <= use.usedAt,
    save: (uses) => store.saveAccessKeyUses(uses),
    onError: (cause) => onError(new Error('last uses of access keys are not saved yet', { cause })),
  })
  return {
    note({ accessKeyId, session }, service, region, usedAt) {
      if (accessKeyId === undefined || session !== undefined) return
      notes.note({ accessKeyId, service, region, usedAt })
    },
    async lastOf(accessKeyId) {
      // Memory is read before the store: a use that is saved in between would otherwise be missed in
      // both.
      const remembered = await notes.known(accessKeyId)
      const stored = await store.findAccessKeyUse(accessKeyId)
      return latestOf(stored === undefined ? remembered : [...remembered, stored])
    },
    remembered: (accessKeyId) => notes.remembered(accessKeyId),
    close: () => notes.close(),
  }
}
