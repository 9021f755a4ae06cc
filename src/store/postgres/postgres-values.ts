/**
 * Values as the engines share them: text, whole numbers, bytes and null.
 * @module
 */
/** Object ids of PostgreSQL's types; they never change. Other types stay text. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'], // bool
  [17, readBytes], // bytea
  [20, readNumber], // int8
  [21, Number], // int2
  [23, Number], // int4
  [1700, readNumber], // numeric, which sums have
])

/** Reads a column of the type with this object id from PostgreSQL's text format. */
export function parserOf(typeId: number): (text: string) => unknown {
  return parsers.get(typeId) ?? String
}

/** A whole number beyond 2^53 − 1, which Trent never writes, becomes a `bigint`. */
function readNumber(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) || text.includes('.') ? number : BigInt(text)
}

function readBytes(text: string): Uint8Array {
  // A copy: a small Buffer is a view of a larger one, which it would keep alive.
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

/** Checks that the value can be stored. */
export function toPostgres(value: unknown): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (value instanceof Uint8Array) return value
  throw new TypeError(`a ${typeof value} parameter cannot be stored`)
}
