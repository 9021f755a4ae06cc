/**
 * The latest committed changes, kept in memory: each of many calls that wait compares its facts with
 * all changes made meanwhile, and would read them from the database again.
 * @module
 */
import type { Change, ChangeReads } from './change.ts'

const keptMax = 2000

export interface RecentChanges {
  /**
   * Returns the changes after `seq` that are kept, and the number up to which they reach: `seq` itself
   * if none are.
   */
  readonly after: (seq: number) => { readonly changes: readonly Change[]; readonly upTo: number }
  /** Keeps committed changes, which are all after `seq`. */
  readonly keep: (seq: number, changes: readonly Change[]) => void
}

export function createRecentChanges(): RecentChanges {
  // Whole changes, without a gap between their numbers.
  let kept: readonly Change[] = []
  let from = 0
  const last = (): number => kept.at(-1)?.seq ?? from
  const after = (seq: number): readonly Change[] => {
    const start = kept.findLastIndex((change) => change.seq <= seq) + 1
    return kept.slice(start)
  }
  return {
    after(seq) {
      if (seq < from || seq >= last()) return { changes: [], upTo: seq }
      return { changes: after(seq), upTo: last() }
    },
    keep(seq, changes) {
      const reached = last()
      const news = changes.filter((change) => change.seq > reached)
      if (news.length === 0) return
      const isNext = seq >= from && seq <= reached
      if (isNext) kept = [...kept, ...news]
      else [kept, from] = [changes, seq]
      if (kept.length <= keptMax) return
      from = kept.at(-keptMax / 2)?.seq ?? from
      kept = after(from)
    },
  }
}

/**
 * The log of changes outside of transactions.
 * @param epoch the number of the last committed change
 */
export function committedChanges(
  read: ChangeReads['changesSince'],
  recent: RecentChanges,
  epoch: () => number,
): ChangeReads['changesSince'] {
  return async (seq) => {
    const { changes, upTo } = recent.after(seq)
    if (changes.length > 0 && upTo >= epoch()) return changes
    const found = await read(upTo)
    if (found === undefined) return undefined
    recent.keep(upTo, found)
    return [...changes, ...found]
  }
}

/** The log of changes in a transaction. It may hold some that are not committed yet. */
export function openChanges(
  read: ChangeReads['changesSince'],
  recent: RecentChanges,
): ChangeReads['changesSince'] {
  return async (seq) => {
    const { changes, upTo } = recent.after(seq)
    const found = await read(upTo)
    return found === undefined ? undefined : [...changes, ...found]
  }
}
