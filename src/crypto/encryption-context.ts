/**
 * The canonical bytes of an encryption context, independent of the order of its pairs. They are part of
 * a message's AAD. The format may never change for existing ciphertexts.
 *
 *     01 ‖ u32 pair count ‖ pairs by the UTF-8 bytes of their keys:
 *       u32 length ‖ key ‖ u32 length ‖ value
 *
 * Lengths take four bytes because a request may contain a key or a value longer than 65 535 bytes. An
 * absent context equals the empty one. The limit on requests bounds the size of these bytes.
 * @module
 */

const version = 1
const lengthBytes = 4
const empty = Buffer.of(version, 0, 0, 0, 0)

/**
 * Returns undefined for text without a UTF-8 form (a lone surrogate). Replacing it would give two
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

/** Returns the offset after the written bytes. */
function writeSized(into: Buffer, text: string, offset: number): number {
  const written = into.write(text, offset + lengthBytes)
  return into.writeUInt32BE(written, offset) + written
}
