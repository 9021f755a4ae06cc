/**
 * The changes after a backup, as the audit log has them. Each change has a number and a record, so a gap in
 * the numbers shows that the log is not complete.
 * @module
 */
import { changeNumberOf, lostChangesMax } from '../model/change-number.ts'

/** What a record says about one change. Values may be of any type: another server may have written them. */
export interface LoggedChange {
  /** Of the record. A change may have several records, and after a loss two changes may have one number. */
  readonly id: string
  readonly change: number
  readonly name: string
  readonly accountId: string
  readonly region: string
  /** ARNs of the resources. */
  readonly arns: readonly string[]
  /** `requestParameters`, `additionalEventData` and `serviceEventDetails` together. */
  readonly details: Readonly<Record<string, unknown>>
  readonly response: Readonly<Record<string, unknown>>
  /** ISO 8601 */
  readonly time: string
}

export interface LoggedChanges {
  /** Takes one record of the log. A record may come twice, from a journal and from an archive. */
  readonly see: (record: unknown) => void
  readonly end: () => {
    /** In the order of their numbers. */
    readonly changes: readonly LoggedChange[]
    /** The highest number that the log has, also before the backup; 0 if it has none. */
    readonly last: number
    /**
     * Numbers after the backup, up to `last`, that the log does not have. Those that an earlier restore has
     * skipped or used are not among them.
     */
    readonly missing: number
  }
}

/** @param position the number of the last change in the backup */
export function collectChanges(position: number): LoggedChanges {
  const found = new Map<string, LoggedChange>()
  const numbers = new Set<number>()
  const restored: Range[] = []
  let highest = 0
  return {
    see(record) {
      const { eventName: name, serviceEventDetails } = membersOf(record)
      if (name === 'RestoreBackup') addTo(restored, membersOf(serviceEventDetails))
      const logged = loggedChangeOf(record)
      if (logged === undefined) return
      const { id, change } = logged
      // The end of a journal is not signed: a number that no database reaches is not believed.
      if (change - position > lostChangesMax) return
      highest = Math.max(highest, change)
      if (change <= position) return
      numbers.add(change)
      found.set(id, logged)
    },
    end() {
      const changes = [...found.values()].toSorted((a, b) => a.change - b.change)
      const ranges = restored.filter(({ last }) => last - position <= lostChangesMax)
      const last = Math.max(highest, ...ranges.map((range) => range.last))
      return { changes, last, missing: missingOf(numbers, ranges, { position, last }) }
    },
  }
}

/** What a record says about its change; undefined if it is of none. */
export function loggedChangeOf(record: unknown): LoggedChange | undefined {
  const change = changeNumberOf(record)
  if (change === undefined) return undefined
  const members = membersOf(record)
  const { recipientAccountId: accountId, awsRegion: region, eventTime: time, resources } = members
  return {
    id: String(members['eventID']),
    change,
    name: String(members['eventName']),
    accountId: String(accountId),
    region: String(region),
    arns: Array.isArray(resources)
      ? resources.map((resource: unknown) => String(membersOf(resource)['ARN']))
      : [],
    details: {
      ...membersOf(members['serviceEventDetails']),
      ...membersOf(members['additionalEventData']),
      ...membersOf(members['requestParameters']),
    },
    response: membersOf(members['responseElements']),
    time: String(time),
  }
}

/** Numbers that a restore has skipped or used: the log has nothing of them. */
interface Range {
  readonly after: number
  readonly last: number
}

function addTo(ranges: Range[], details: Readonly<Record<string, unknown>>): void {
  const [after, last] = [details['lastLogged'], details['lastNumber']]
  if (Number.isSafeInteger(after) && Number.isSafeInteger(last)) {
    ranges.push({ after: Number(after), last: Number(last) })
  }
}

function missingOf(
  numbers: ReadonlySet<number>,
  ranges: readonly Range[],
  { position, last }: { readonly position: number; readonly last: number },
): number {
  let missing = Math.max(last - position, 0) - numbers.size
  let counted = position
  for (const range of ranges.toSorted((a, b) => a.after - b.after)) {
    const after = Math.max(range.after, counted)
    if (range.last <= after) continue
    missing -= range.last - after
    for (const number of numbers) if (number > after && number <= range.last) missing += 1
    counted = range.last
  }
  return missing
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>
}
