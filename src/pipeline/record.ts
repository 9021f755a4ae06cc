/**
 * Step 8: the record of a call.
 *
 * INVARIANT (audit-before-respond): a call is answered only after its record is durable.
 * INVARIANT (fresh answers): an answer that was decided by what this node knew leaves only if that is still
 * young enough then.
 * @module
 */
import { keepRecords, type FinishedRecord } from '../audit/records/call-records.ts'
import type { Audited } from '../audit/records/audited.ts'
import { KmsError } from '../errors.ts'
import {
  auditedOf,
  createIds,
  failureOf,
  isAlwaysRecorded,
  recordsOf,
  refusedUseOf,
  successOf,
} from './call-facts.ts'
import type { PipelineDependencies } from './dependencies.ts'
import { StepFailed } from './stage-list.ts'
import { isRecordable, type Answered, type Failed, type Recordable } from './stages.ts'

type RecordDependencies = Pick<
  PipelineDependencies,
  | 'clock'
  | 'random'
  | 'store'
  | 'journal'
  | 'outbox'
  | 'identityUses'
  | 'keyUsages'
  | 'refusedCalls'
  | 'refusedUses'
  | 'meter'
>

/**
 * Passes a call on after its record is durable. Requests without a proved caller leave none.
 * @throws what refused the call, after the record of the refusal is durable
 */
export async function record(
  settled: Answered | Failed,
  dependencies: RecordDependencies,
): Promise<Answered> {
  if (settled instanceof StepFailed) {
    const { reached, cause } = settled
    if (isRecordable(reached)) {
      await recordRefusal(reached, cause, dependencies)
      await withholdIfOld(reached, dependencies)
    }
    throw settled
  }
  const { output, keyEvents, requestId } = settled
  const { recordedAt } = await keep(settled, successOf(settled, output), dependencies)
  for (const { key, ...use } of keyEvents) {
    dependencies.keyUsages.note(key, { ...use, usedAt: recordedAt, requestId })
  }
  await withholdIfOld(settled, dependencies)
  return settled
}

/**
 * What the decision was made by may have grown old while the record became durable: the process may have been
 * stopped for hours. Then the call gets a second record, and an error. A change that committed was decided by
 * the database itself.
 * @throws {StepFailed} `KMSInternalException`
 */
async function withholdIfOld(
  reached: Recordable,
  { store, journal, clock, random }: RecordDependencies,
): Promise<void> {
  const { confirmed, effects, request } = reached
  if (confirmed === undefined || request.listener === 'operator') return
  if (effects?.committed !== undefined || effects?.fateUnknown === true) return
  const why = store.freshness.refusal(confirmed)
  if (why === undefined) return
  const message = `the answer was withheld: what this node knew may be out of date: ${why}`
  const withheld = new KmsError('KMSInternalException', message)
  // The record of the call stays, so this one has ids of its own.
  const again = { ...reached, eventId: random.uuid(), idOf: createIds(random), keyEvents: [] }
  const records = recordsOf(again, failureOf(withheld), clock.now())
  await keepRecords(records, journal.append.bind(journal))
  throw new StepFailed(reached, withheld)
}

async function recordRefusal(
  reached: Recordable,
  error: unknown,
  dependencies: RecordDependencies,
): Promise<void> {
  // If the change committed, its outbox row holds the record. A second record would displace it.
  if (reached.effects?.fateUnknown === true) return
  const { records, recordedAt } = await keep(reached, failureOf(error), dependencies)
  const refused = refusedUseOf(records, reached, recordedAt)
  if (refused === undefined) return
  dependencies.meter.refusedUse(refused.key.state)
  dependencies.refusedUses.note(refused)
}

/** Resolves when the call's records are durable. */
async function keep(
  reached: Recordable,
  outcome: Audited['outcome'],
  dependencies: RecordDependencies,
): Promise<{ readonly records: readonly FinishedRecord[]; readonly recordedAt: number }> {
  const { caller, effects } = reached
  const { journal, outbox, refusedCalls, refusedUses, identityUses } = dependencies
  // A change that committed has its records, whatever failed after it.
  const committed = effects?.committed
  const recordedAt = committed?.recordedAt ?? dependencies.clock.now()
  if (
    committed === undefined &&
    !outcome.ok &&
    !refusedCalls.hasOwnRecord(caller) &&
    !isAlwaysRecorded(reached, outcome, refusedUses)
  ) {
    await refusedCalls.count(auditedOf(reached, outcome, recordedAt))
    return { records: [], recordedAt }
  }
  const records = committed?.records ?? recordsOf(reached, outcome, recordedAt)
  await (committed === undefined
    ? keepRecords(records, journal.append.bind(journal))
    : keepRecords(records, outbox.settle.bind(outbox)))
  identityUses.note(reached, recordedAt)
  return { records, recordedAt }
}
