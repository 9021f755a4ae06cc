/** Changes that a log has after a backup, for tests. @module */
import type { LoggedChange } from '../../src/backup/logged-changes.ts'
import { takeAway } from '../../src/backup/take-away.ts'
import type { Outcome } from '../../src/backup/take-away-identities.ts'
import { takenAway } from '../../src/backup/taken-away.ts'
import type { Store } from '../../src/store/store.ts'
import { accountId, region } from '../store/records.ts'

export type Event = readonly [name: string, details?: LoggedChange['details']]

const known = new Set(Object.keys(takeAway))

/** @param rest members of all of them */
export function logged(
  events: readonly Event[],
  rest: Partial<LoggedChange> = {},
): readonly LoggedChange[] {
  return events.map(([name, details = {}], index) => ({
    id: `record-${index}`,
    change: 100 + index,
    name,
    accountId,
    region,
    arns: [],
    details,
    response: {},
    time: '2026-11-30T00:00:00Z',
    ...rest,
  }))
}

/** The names of the changes that are repeated, and of those that cannot be. */
export function judged(
  changes: readonly LoggedChange[],
): readonly [apply: readonly string[], unknown: readonly string[]] {
  const { apply, unknown } = takenAway(changes, known)
  return [apply.map(({ name }) => name), unknown.map(({ name }) => name)]
}

/** Takes away what they took away, and returns what came of it. */
export async function takeAll(
  store: Store,
  changes: readonly LoggedChange[],
  now = 1,
): Promise<readonly (readonly [name: string, outcome: Outcome | undefined])[]> {
  const outcomes: [string, Outcome | undefined][] = []
  for (const change of takenAway(changes, known).apply) {
    const outcome = await store.change(async (transaction) =>
      takeAway[change.name]?.(transaction, change, now),
    )
    outcomes.push([change.name, outcome])
  }
  return outcomes
}
