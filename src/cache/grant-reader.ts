/**
 * Reads all grants of a key to one grantee in a separate thread. Reading tens of thousands of rows
 * and checking their tags takes seconds, which calls must not wait for.
 * @module
 */
import type { KeyringStep } from '../crypto/domain-keys.ts'
import type { OpenDeployment } from '../crypto/open-deployment.ts'
import type { GrantTerms } from '../model/grant-terms.ts'
import type { KeyRef } from '../model/key.ts'
import type { OnForgedRow } from '../store/bound-rows.ts'
import type { BoundTable } from '../store/schema/schema.ts'
import { portsOf, type SharedDatabase } from '../store/open.ts'
import { createThread, ThreadEnded } from '../threads/thread.ts'
import type { ReadGrants } from './read-grants.ts'

export interface GrantReader {
  /** Only one read may run at a time. */
  readonly read: ReadGrants
  /** Takes a step of a rotation. Starts the thread, which begins with the keys of the server's start. */
  readonly turnKeys: (step: KeyringStep) => Promise<void>
  readonly close: () => Promise<void>
}

export interface GrantThreadSettings {
  readonly database: SharedDatabase
  readonly deployment: OpenDeployment
}

export type GrantThreadQuestions = {
  /** Asks `page` for each page of grants, and answers after the last one. */
  readonly read: readonly [{ readonly key: KeyRef; readonly grantee: string }, void]
  readonly turnKeys: readonly [KeyringStep, void]
}

/** What the thread asks. */
export type GrantReaderQuestions = {
  /** Answers whether the next page is wanted. */
  readonly page: readonly [readonly GrantTerms[], boolean]
  readonly forged: readonly [{ readonly table: BoundTable; readonly id: string }, void]
}

/** Starts the thread with the first read. */
export function createGrantReader(options: {
  readonly database: SharedDatabase
  readonly deployment: OpenDeployment
  readonly onForgedRow: OnForgedRow
}): GrantReader {
  const { database, deployment, onForgedRow } = options
  let takePage: Parameters<ReadGrants>[2] | undefined
  const thread = createThread<GrantThreadQuestions, GrantReaderQuestions>({
    program: new URL('grant-reader-thread.ts', import.meta.url),
    name: 'grant reader',
    data: { database, deployment } satisfies GrantThreadSettings,
    transfer: [...portsOf(database)],
    answers: {
      page: async (page) => takePage?.(page) ?? false,
      forged: ({ table, id }) => onForgedRow(table, id),
    },
  })
  return {
    async read(key, grantee, take) {
      // Two at once would mix the grants of two grantees.
      if (takePage !== undefined) throw new Error('grants are being read')
      let failure: { readonly error: unknown } | undefined
      takePage = async (page) => {
        try {
          return await take(page)
        } catch (error) {
          failure = { error }
          return false
        }
      }
      try {
        await thread.ask('read', { key, grantee })
      } catch (error) {
        if (error instanceof ThreadEnded || !(error instanceof Error)) throw error
        throw new Error(`cannot read grants: ${error.message}`, { cause: error })
      } finally {
        takePage = undefined
      }
      if (failure !== undefined) throw failure.error
    },
    turnKeys: (step) => thread.ask('turnKeys', step),
    close: () => thread.end(),
  }
}
