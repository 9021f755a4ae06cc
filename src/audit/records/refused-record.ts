/**
 * Records of refused calls, cut to a bounded size: a caller without any permission must not fill the
 * disk.
 *
 * Every cut is marked. A member becomes `{"omitted":true,"originalSize":n,"reason":…}`, a text ends
 * with `… [n bytes]`, and a list keeps its last entries behind `{"omitted":true,"originalLength":n}`.
 * @module
 */

/** Maximum bytes of the whole record. */
export const refusedRecordBytesMax = 8 * 1024

/** Lengths for texts and lists; the first one that makes the record short enough is used. */
const textBytes = [512, 128, 32] as const
const entriesMax = 8

type Json = Readonly<Record<string, unknown>>

/** @param record one JSON text */
export function boundedRefusal(record: string): string {
  if (fits(record)) return record
  const { requestParameters, ...rest } = JSON.parse(record) as Json // made by `record.ts`
  let text = record
  for (const bytesMax of textBytes) {
    const shorter = cut(rest, bytesMax) as Json // an object stays an object
    for (const parameters of omitting(requestParameters)) {
      text = JSON.stringify({ ...shorter, requestParameters: parameters })
      if (fits(text)) return text
    }
  }
  return text
}

function fits(record: string): boolean {
  return Buffer.byteLength(record) <= refusedRecordBytesMax
}

/** The parameters with more and more members omitted, the largest first; at the end all at once. */
function* omitting(parameters: unknown): Generator {
  yield parameters
  if (typeof parameters !== 'object' || parameters === null) return
  const kept: Record<string, unknown> = { ...parameters }
  const sizes = Object.entries(parameters)
    .map(([name, value]) => ({ name, bytes: bytesOf(value) }))
    .toSorted((a, b) => b.bytes - a.bytes)
  for (const { name, bytes } of sizes) {
    kept[name] = omitted(bytes)
    yield kept
  }
  yield omitted(bytesOf(parameters))
}

export function omitted(originalSize: number): object {
  return { omitted: true, originalSize, reason: 'the record would be too long' }
}

function cut(value: unknown, bytesMax: number): unknown {
  if (typeof value === 'string') return cutText(value, bytesMax)
  if (Array.isArray(value)) {
    const last = value.slice(-entriesMax).map((entry) => cut(entry, bytesMax))
    if (value.length <= entriesMax) return last
    return [{ omitted: true, originalLength: value.length }, ...last]
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cut(one, bytesMax)]))
}

function cutText(text: string, bytesMax: number): string {
  const bytes = bytesOf(text)
  if (bytes <= bytesMax) return text
  // A character takes at most six bytes, as in `\u0000`.
  let kept = text.slice(0, bytesMax)
  while (bytesOf(kept) > bytesMax) kept = kept.slice(0, Math.floor(kept.length / 2))
  return `${kept.toWellFormed()}… [${bytes} bytes]`
}

/** Bytes of a value in the record. */
function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '')
}
