/**
 * The plaintext of frames: rows as JSON, the same for every engine. Bytes are base64.
 * @module
 */
import { everyTable } from '../store/schema/schema.ts'
import type { Table } from '../store/schema/table.ts'
import type { StoredRow, StoredValue } from '../store/whole-tables.ts'
import { damaged } from './format.ts'

export interface RowsOfTable {
  readonly table: Table
  readonly rows: readonly StoredRow[]
}

/** The content of the last encrypted frame. */
export interface BackupEnd {
  /** The number of rows of each table. */
  readonly rows: Readonly<Record<string, number>>
}

/** Bytes of JSON after which a frame is written. */
const frameBytes = 2 ** 20

/** Collects rows of one table into frames. */
export function createRowsText({ name, columns }: Table): {
  /** Returns the plaintext of a frame when there is enough for one. */
  readonly add: (row: StoredRow) => Buffer | undefined
  /** What is left; undefined if that is nothing. */
  readonly rest: () => Buffer | undefined
} {
  const names = Object.keys(columns)
  const begin = `{"table":${JSON.stringify(name)},"columns":${JSON.stringify(names)},"rows":[`
  let texts: string[] = []
  let length = 0
  const rest = (): Buffer | undefined => {
    if (texts.length === 0) return undefined
    const frame = Buffer.from(`${begin}${texts.join(',')}]}`)
    texts = []
    length = 0
    return frame
  }
  return {
    add(row) {
      const text = JSON.stringify(names.map((column) => valueText(row[column])))
      texts.push(text)
      length += text.length
      return length < frameBytes ? undefined : rest()
    },
    rest,
  }
}

function valueText(value: StoredValue | undefined): string | number | null {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  // Trent writes no number beyond 2^53 − 1: somebody else has.
  if (typeof value === 'bigint') throw new RangeError('a stored number is too large for a backup')
  return value ?? null
}

/** Our own text, whose frame was authentic. @throws {BackupRefused} if this version does not know it */
export function readRows(plaintext: Buffer): RowsOfTable {
  const {
    table: name,
    columns: names,
    rows,
  } = JSON.parse(plaintext.toString('utf8')) as {
    readonly table: string
    readonly columns: readonly string[]
    readonly rows: readonly (readonly (string | number | null)[])[]
  }
  const table: Table | undefined = everyTable.find((each) => each.name === name)
  if (table === undefined) throw damaged(`it has an unknown table ${name}`)
  const areBytes = names.map((column) => table.columns[column]?.kind === 'bytes')
  const read = (value: string | number | null, index: number): StoredValue =>
    typeof value === 'string' && areBytes[index] === true
      ? new Uint8Array(Buffer.from(value, 'base64'))
      : value
  return {
    table,
    rows: rows.map((row) =>
      Object.fromEntries(row.map((value, index) => [names[index] ?? '', read(value, index)])),
    ),
  }
}

export function readEnd(plaintext: Buffer): BackupEnd {
  return JSON.parse(plaintext.toString('utf8')) as BackupEnd // its frame was authentic
}
