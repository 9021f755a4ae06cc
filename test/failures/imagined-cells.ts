/** The memory of imagined nodes: every value that a cell had, each written by a numbered change. @module */
import type { Cells } from './imagined-request.ts'
import { absent } from './registers.ts'

interface Version {
  readonly at: number
  readonly change: number
  readonly value: string
}

/** Cells whose removal is repeated after a loss, by the beginning of their names. */
const repeated = ['grant ', 'iam ', 'alias ', 'access key ', 'role of ', 'right of ']

export class ImaginedCells implements Cells {
  #versions = new Map<string, Version[]>()
  #lost = new Map<string, string[]>()
  /** The number of the last change. */
  change = 0

  read(cell: string, asOf = Infinity): string {
    const versions = this.#versions.get(cell) ?? []
    return versions.findLast(({ at }) => at <= asOf)?.value ?? versions[0]?.value ?? absent
  }

  write(cell: string, value: string): void {
    this.change += 1
    const version = { at: performance.now(), change: this.change, value }
    this.#versions.set(cell, [...(this.#versions.get(cell) ?? []), version])
  }

  /** Loses every change after this one. */
  rewind(last: number): void {
    this.#lost = new Map()
    for (const [cell, versions] of this.#versions) {
      const lost = versions.filter(({ change }) => change > last)
      if (lost.length > 0)
        this.#lost.set(
          cell,
          lost.map(({ value }) => value),
        )
      this.#versions.set(
        cell,
        versions.filter(({ change }) => change <= last),
      )
    }
    this.change = last
  }

  /** Takes away again what the lost changes took away. @param forgets cells that are left, by their beginning */
  takeAwayAgain(forgets: readonly string[]): void {
    for (const [cell, values] of this.#lost) {
      if (forgets.some((each) => cell.startsWith(each))) continue
      const now = this.read(cell)
      if (now === absent) continue
      const [last = ''] = values.slice(-1)
      if (repeated.some((each) => cell.startsWith(each)) && values.includes(absent)) {
        this.write(cell, absent)
      } else if (last === 'Inactive' || last === 'Disabled' || last === 'PendingDeletion') {
        this.write(cell, last)
      } else if (now === 'PendingDeletion') this.write(cell, 'Disabled')
    }
  }
}
