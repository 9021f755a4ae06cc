/** Summarizes applied changes: for the audit record, and as warnings for the operator. @module */
import type { AppliedChange } from './applying.ts'
import type { ApplyDocument } from './document.ts'

/** Maximum size of the changes in an audit record, which has at most 128 KiB. */
const changesBytesMax = 64 * 1024

/** The changes that fit, and the number of all. Changes hold only names: no document, no secret. */
export function recordedChanges(
  changes: readonly AppliedChange[],
): Readonly<Record<string, unknown>> {
  const fitting: AppliedChange[] = []
  let bytes = 0
  for (const change of changes) {
    bytes += Buffer.byteLength(JSON.stringify(change))
    if (bytes > changesBytesMax) break
    fitting.push(change)
  }
  return { changeCount: changes.length, changes: fitting }
}

export function warningsOf(
  { accounts }: ApplyDocument,
  changes: readonly AppliedChange[],
): readonly string[] {
  const keys = accounts.flatMap(({ keys: of = [] }) => of)
  const fixed = keys.filter(({ material }) => material !== undefined).length
  const accessKeys = accounts
    .flatMap((account) => [account, ...(account.users ?? [])])
    .flatMap(({ accessKeys: of = [] }) => of).length
  const pending = changes.filter(({ change }) => change === 'scheduleDeletion').length
  return [
    ...(fixed === 0
      ? []
      : [
          `FIXED KEY MATERIAL: ${counted(fixed, 'key')} of this file can be used by anyone who reads it. ` +
            'This is for tests: never protect anything real with them.',
        ]),
    ...(accessKeys === 0
      ? []
      : [
          `FIXED SECRETS: ${counted(accessKeys, 'access key')} of this file can be used by anyone ` +
            'who reads it. This is for tests and CI.',
        ]),
    ...(pending === 0
      ? []
      : [
          `KEYS WILL BE DELETED: ${counted(pending, 'key')} not in this file can no longer be used, ` +
            'and will be deleted in 30 days. CancelKeyDeletion keeps one.',
        ]),
  ]
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`
}
