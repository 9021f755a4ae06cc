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

export function canonicalRow(
  table: string,
  columns: Readonly<Record<string, CanonicalValue>>,
): Buffer {
  const names = Object.keys(columns).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const parts = [sized(Buffer.from(table)), u32(names.length)]
  for (const name of names) {
    const [type, bytes] = typed(columns[name] ?? null)
    parts.push(sized(Buffer.from(name)), Buffer.of(type), sized(bytes))
  }
  return Buffer.concat(parts)
}

function typed(value: CanonicalValue): [number, Uint8Array] {
  if (value === null) return [0, Buffer.alloc(0)]
  if (typeof value === 'string') return [1, Buffer.from(value)]
  if (typeof value === 'number') return [2, Buffer.from(String(value))]
  return [3, value]
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([u32(bytes.length), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
