/**
 * One byte string for an encryption context, whatever order its pairs come in: part of a message's AAD.
 * It may never change for ciphertexts that exist.
 *
 *     01 ‖ u32 pair count ‖ pairs by the UTF-8 bytes of their keys:
 *       u32 length ‖ key ‖ u32 length ‖ value
 *
 * Lengths take four bytes because a request may hold a key or a value beyond 65 535 bytes. A context
 * that is absent is the empty one. The size of a request bounds the size of this.
 * @module
 */

const version = 1
const lengthBytes = 4
const empty = Buffer.of(version, 0, 0, 0, 0)

/**
 * Answers undefined for text that has no UTF-8 form (a lone surrogate): replacing it would give two
 * contexts the same bytes.
 */
export function canonicalContext(context: Readonly<Record<string, string>>): Buffer | undefined {
  const entries = Object.entries(context)
  if (entries.length === 0) return empty
  let size = empty.length
  for (const [key, value] of entries) {
    if (!key.isWellFormed() || !value.isWellFormed()) return undefined
    size += 2 * lengthBytes + Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeUInt8(version, 0)
  let offset = bytes.writeUInt32BE(entries.length, 1)
  for (const [key, value] of inByteOrder(entries)) {
    offset = writeSized(bytes, key, offset)
    offset = writeSized(bytes, value, offset)
  }
  return bytes
}

type Pair = readonly [key: string, value: string]

function inByteOrder(pairs: readonly Pair[]): readonly Pair[] {
  if (pairs.length === 1) return pairs
  return pairs
    .map((pair) => ({ pair, key: Buffer.from(pair[0]) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ pair }) => pair)
}

/** Answers the offset behind what was written. */
function writeSized(into: Buffer, text: string, offset: number): number {
  const written = into.write(text, offset + lengthBytes)
  return into.writeUInt32BE(written, offset) + written
}
