/**
 * The canonical bytes of a row, independent of the order of its columns. Row tags and the AAD of
 * wrapped material are computed over them. The format may never change for existing rows.
 *
 *     u32 length ‖ table, then u32 column count, then the columns by name in byte order:
 *       u32 length ‖ name ‖ type byte ‖ u32 length ‖ value
 *
 * Type bytes: 0 null (empty value), 1 text (UTF-8), 2 number (decimal text), 3 bytes. All numbers big-endian.
 * @module
 */

export type CanonicalValue = string | number | Uint8Array | null

/** @param columns their names are ASCII, which JavaScript orders as bytes */
export function canonicalRow(
  table: string,
  columns: Readonly<Record<string, CanonicalValue>>,
): Buffer {
  // Measured, then written once: each row that is read or written passes here.
  const names = Object.keys(columns).sort()
  let size = 4 + Buffer.byteLength(table) + 4
  for (const name of names) size += 4 + name.length + 1 + 4 + bytesOf(columns[name] ?? null)
  const row = Buffer.allocUnsafe(size)
  let at = writeText(row, table, 0)
  at = row.writeUInt32BE(names.length, at)
  for (const name of names) {
    at = writeText(row, name, at)
    at = writeValue(row, columns[name] ?? null, at)
  }
  return row
}

function bytesOf(value: CanonicalValue): number {
  if (value === null) return 0
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value === 'number') return String(value).length
  return value.length
}

/** Writes the type byte, the length and the value. @returns the end of what was written */
function writeValue(row: Buffer, value: CanonicalValue, at: number): number {
  if (value === null) return row.writeUInt32BE(0, row.writeUInt8(0, at))
  if (typeof value === 'string') return writeText(row, value, row.writeUInt8(1, at))
  if (typeof value === 'number') return writeText(row, String(value), row.writeUInt8(2, at))
  const valueAt = row.writeUInt32BE(value.length, row.writeUInt8(3, at))
  row.set(value, valueAt)
  return valueAt + value.length
}

function writeText(row: Buffer, text: string, at: number): number {
  const length = row.write(text, at + 4)
  row.writeUInt32BE(length, at)
  return at + 4 + length
}
