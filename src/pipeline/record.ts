/**
 * Step 8: the record of a call.
 *
 * INVARIANT (audit-before-respond): a call is answered only after its record is durable.
 * @module
 */
import { keepRecords, type FinishedRecord } from '../audit/records/call-records.ts'
import type { Audited } from '../audit/records/record.ts'
import {
  auditedOf,
  failureOf,
  isAlwaysRecorded,
  recordsOf,
  refusedUseOf,
  successOf,
} from './call-facts.ts'
import type { PipelinePorts } from './dependencies.ts'
import { StepFailed, type Answered, type Identified, type Reached } from './stages.ts'

type RecordPorts = Pick<
  PipelinePorts,
  | 'clock'
  | 'journal'
  | 'outbox'
  | 'identityUses'
  | 'keyUsages'
  | 'refusedCalls'
  | 'refusedUses'
  | 'meter'
>

/**
 * The output of a call, after its record is durable.
 * @param identified the call before its first step: the record if `answering` fails outside every step
 * @throws what refused the call, after the record of the refusal is durable
 */
export async function recordCall(
  identified: Identified,
  answering: Promise<Answered>,
  ports: RecordPorts,
): Promise<unknown> {
  let answered: Answered
  try {
    answered = await answering
  } catch (error) {
    const { reached, cause } =
      error instanceof StepFailed ? error : { reached: identified, cause: error }
    await recordRefusal(reached, cause, ports)
    throw cause
  }
  const { output, keyEvents, requestId } = answered
  const { recordedAt } = await keep(answered, successOf(answered, output), ports)
  for (const { key, ...use } of keyEvents) {
    ports.keyUsages.note(key, { ...use, usedAt: recordedAt, requestId })
  }
  return output
}

async function recordRefusal(reached: Reached, error: unknown, ports: RecordPorts): Promise<void> {
  // If the change committed, its outbox row holds the record. A second record would displace it.
  if (reached.effects?.fateUnknown === true) return
  const { records, recordedAt } = await keep(reached, failureOf(error), ports)
  const refused = refusedUseOf(records, reached, recordedAt)
  if (refused === undefined) return
  ports.meter.refusedUse(refused.key.state)
  ports.refusedUses.note(refused)
}

/** Resolves when the call's records are durable. */
async function keep(
  reached: Reached,
  outcome: Audited['outcome'],
  ports: RecordPorts,
): Promise<{ readonly records: readonly FinishedRecord[]; readonly recordedAt: number }> {
  const { caller, effects } = reached
  const { journal, outbox, refusedCalls, refusedUses, identityUses } = ports
  // A change that committed has its records, whatever failed after it.
  const committed = effects?.committed
  const recordedAt = committed?.recordedAt ?? ports.clock.now()
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
