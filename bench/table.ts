/** The table that is printed: one row for each case and server. @module */

export interface Column {
  readonly name: string
  readonly width: number
  /** Digits after the point. Without it, the column holds text. */
  readonly digits?: number
}

export type Row = Readonly<Record<string, string | number | undefined>>

/** A line of a table. A figure that is absent is a dash. */
export function tableLine(columns: readonly Column[], row: Row): string {
  const cells = columns.map(({ name, width, digits }) => {
    const value = row[name]
    if (typeof value === 'string')
      return digits === undefined ? value.padEnd(width) : value.padStart(width)
    if (value === undefined || !Number.isFinite(value)) return '–'.padStart(width)
    return value.toFixed(digits ?? 0).padStart(width)
  })
  return cells.join('  ').trimEnd()
}

export function tableHead(columns: readonly Column[]): string {
  return tableLine(columns, Object.fromEntries(columns.map(({ name }) => [name, name])))
}
