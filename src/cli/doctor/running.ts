/** Whether a server of these settings runs, and what it says about itself. @module */
import { codeOf } from '../../disk/error-code.ts'
import type { ServerStatus } from '../../operations/contract/server-controls.ts'
import { callOperator, OperatorCallFailed } from '../../operator/client.ts'
import type { SealedStatus } from '../../server/sealed-door.ts'
import { version } from '../../version.ts'
import { ok, type Outcome } from './finding.ts'

export type Running =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'serving'; readonly status: ServerStatus }
  | { readonly kind: 'sealed'; readonly status: SealedStatus }
  /** Somebody may have the files open. */
  | { readonly kind: 'unknown'; readonly why: string }

/** Asks through the operator door. A running server leaves an audit record of the question. */
export async function findRunning(operatorDirectory: string): Promise<Running> {
  try {
    const status = (await callOperator(
      operatorDirectory,
      'GetStatus',
    )) as // the same program answers
      ServerStatus | SealedStatus
    return 'journal' in status ? { kind: 'serving', status } : { kind: 'sealed', status }
  } catch (error) {
    if (!(error instanceof OperatorCallFailed)) throw error
    const code = codeOf(error.cause)
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { kind: 'stopped' }
    return { kind: 'unknown', why: error.message }
  }
}

export function serverOutcomes(running: Running): readonly Outcome[] {
  if (running.kind === 'stopped') return [ok('no server with these settings runs')]
  if (running.kind === 'unknown') {
    const todo = "run this as the server's user, or as a member of TRENT_OPERATOR_GROUP"
    return [{ state: 'failed', found: running.why, todo }]
  }
  const { status } = running
  const outcomes: Outcome[] = [
    ok(`${running.kind}, version ${status.version}, since ${status.startedAt}`),
  ]
  if (status.version !== version) {
    const found = `the server is version ${status.version}, and this command ${version}`
    outcomes.push({ state: 'warning', found, todo: 'restart the server' })
  }
  if (running.kind === 'serving' && !running.status.journal.healthy) {
    const todo = 'look for the reason in the log, and at the disk of the data directory'
    outcomes.push({ state: 'failed', found: 'the audit journal cannot be written', todo })
  }
  return outcomes
}
