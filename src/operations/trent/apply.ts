/**
 * Apply — `trent apply FILE`: changes accounts to match a document, in one transaction. Matching parts stay
 * as they are, so a second call changes nothing.
 * @module
 */
import { boolean } from '../../model/shape.ts'
import type { FurtherEvent } from '../../model/further-event.ts'
import { applyAccounts } from './apply/apply-accounts.ts'
import type { AppliedChange, Applying } from './apply/applying.ts'
import { documentMember, requireKeysOnce } from './apply/check-document.ts'
import type { ApplyDocument } from './apply/document.ts'
import { prepareKeys } from './apply/key-materials.ts'
import { recordedChanges, warningsOf } from './apply/summary.ts'
import { trentOperation } from './trent-operation.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

export interface Applied {
  readonly dryRun: boolean
  /** Changes in order. A dry run rolls them back. */
  readonly changes: readonly AppliedChange[]
  /** Warnings for the operator, one line each. */
  readonly warnings: readonly string[]
}

/** Thrown to roll the transaction back, in a dry run or without changes. */
class RolledBack extends Error {}

export const apply = trentOperation<Applied>()({
  name: 'Apply',
  door: 'operator',
  input: { document: documentMember, dryRun: boolean(), prune: boolean() },
  permissions: () => [{ action: 'trent:Apply' }],
  readOnly: false,
  // Never the document: it may hold key material and secrets.
  audit: ['dryRun', 'prune'],
  auditResponse: ({ changes }) => recordedChanges(changes),
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'InvalidInputException',
    'NoSuchEntityException',
    'MalformedPolicyDocumentException',
    'LimitExceededException',
    'InvalidArnException',
    'TagException',
  ],
  async run(call, dependencies) {
    const { input, region } = call
    const { document, dryRun = false } = input
    requireKeysOnce(document, region)
    const prepared = await prepareKeys(document, call, dependencies)
    let changes: readonly AppliedChange[] = []
    const work = async (transaction: Applying['transaction']): Promise<Applied> => {
      const noted: AppliedChange[] = []
      const events: FurtherEvent[] = []
      await applyAccounts(
        document,
        applyingOf(call, dependencies, {
          transaction,
          prepared,
          note: (change) => noted.push(change),
          alsoRecords: (event) => events.push(event),
        }),
      )
      changes = noted
      if (dryRun || changes.length === 0) throw new RolledBack()
      // Only here: a transaction that is rolled back must leave no records.
      for (const event of events) call.alsoRecords(event)
      return answerOf(document, dryRun, changes)
    }
    try {
      return await call.commit(work)
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error
      return answerOf(document, dryRun, changes)
    }
  },
})

type ApplyCall = Pick<
  Call<{ readonly prune?: boolean }, never>,
  'input' | 'partition' | 'region' | 'origin'
>

function applyingOf(
  { input, partition, region, origin }: ApplyCall,
  dependencies: OperationDependencies,
  rest: Pick<Applying, 'transaction' | 'prepared' | 'note' | 'alsoRecords'>,
): Applying {
  return {
    ...rest,
    dependencies,
    checks: dependencies.principalChecks(rest.transaction),
    partition,
    region,
    origin,
    now: dependencies.clock.now(),
    prune: input.prune ?? false,
  }
}

function answerOf(
  document: ApplyDocument,
  dryRun: boolean,
  changes: readonly AppliedChange[],
): Applied {
  return { dryRun, changes, warnings: warningsOf(document, changes) }
}
