/** The table that is printed: one row for each case, server and load. @module */

export interface Column {
  readonly name: string
  readonly width: number
  /** Digits after the point. Without it, the column holds text. */
  readonly digits?: number
}

export const columns: readonly Column[] = [
  { name: 'case', width: 15 },
  { name: 'server', width: 16 },
  { name: 'load', width: 7 },
  { name: 'req/s', width: 6, digits: 0 },
  { name: 'p50 ms', width: 7, digits: 2 },
  { name: 'p99 ms', width: 7, digits: 2 },
  { name: 'p99/p50', width: 7, digits: 1 },
  { name: 'main µs', width: 7, digits: 1 },
  { name: 'process µs', width: 10, digits: 1 },
  { name: 'main/floor', width: 10, digits: 3 },
  { name: 'main/paced', width: 10, digits: 3 },
  { name: 'process/floor', width: 13, digits: 3 },
  { name: 'KB files', width: 8, digits: 2 },
  { name: 'MB', width: 4, digits: 0 },
  { name: 'others %', width: 8, digits: 0 },
]

export type Row = Readonly<Record<string, string | number | undefined>>

/** A line of a table. A figure that is absent is a dash. */
export function tableLine(row: Row, of: readonly Column[] = columns): string {
  const cells = of.map(({ name, width, digits }) => {
    const value = row[name]
    if (digits === undefined) return String(value ?? '').padEnd(width)
    if (typeof value === 'string') return value.padStart(width)
    const isFigure = value !== undefined && Number.isFinite(value)
    return (isFigure ? value.toFixed(digits) : '–').padStart(width)
  })
  return cells.join('  ').trimEnd()
}

export function tableHead(of: readonly Column[] = columns): string {
  return tableLine(Object.fromEntries(of.map(({ name }) => [name, name])), of)
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
