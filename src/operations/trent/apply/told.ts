/** What is told of an application: to its record, bounded, and to whoever asked for it, aloud. @module */
import type { AppliedChange } from './applying.ts'
import type { ApplyDocument } from './document.ts'

/** Of the changes in one record: it has 128 KiB. */
const toldBytesMax = 64 * 1024

/** As many changes as fit, and how many there were. Names alone: no document, no secret. */
export function toldChanges(changes: readonly AppliedChange[]): Readonly<Record<string, unknown>> {
  const told: AppliedChange[] = []
  let bytes = 0
  for (const change of changes) {
    bytes += Buffer.byteLength(JSON.stringify(change))
    if (bytes > toldBytesMax) break
    told.push(change)
  }
  return { changeCount: changes.length, changes: told }
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
  const dying = changes.filter(({ change }) => change === 'scheduleDeletion').length
  return [
    ...(fixed === 0
      ? []
      : [
          `FIXED KEY MATERIAL: ${counted(fixed, 'key')} of this file can be used by whoever reads it. ` +
            'This is for tests: never protect anything real with them.',
        ]),
    ...(accessKeys === 0
      ? []
      : [
          `FIXED SECRETS: ${counted(accessKeys, 'access key')} of this file can be used by whoever ` +
            'reads it. This is for tests and CI.',
        ]),
    ...(dying === 0
      ? []
      : [
          `KEYS WILL BE DELETED: ${counted(dying, 'key')} not in this file cannot be used any more, ` +
            'and will be gone in 30 days. CancelKeyDeletion keeps one.',
        ]),
  ]
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`
}
