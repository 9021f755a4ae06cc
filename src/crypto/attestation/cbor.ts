/**
 * Strict CBOR: definite lengths, shortest forms, no floats, no duplicate keys, no trailing bytes,
 * and a bounded number of items, which also bounds the nesting.
 * @see https://www.rfc-editor.org/rfc/rfc8949
 * @module
 */
import type * as Library from 'cborg'

/** Reads one item. Maps become `Map`. Only the tags in `tags` are accepted. */
export type DecodeCbor = (bytes: Uint8Array, tags?: readonly number[]) => unknown

/**
 * A document with 32 registers and a long chain has about 110. The payload is one item of its
 * envelope.
 */
const itemsMax = 256

/** Loads the library, once a process, with the first document. */
export async function loadCbor(): Promise<DecodeCbor> {
  const library = await import('cborg')
  return (bytes, tags = []) => decodeStrictly(library, bytes, tags)
}

function decodeStrictly(
  { decode, Tokenizer }: typeof Library,
  bytes: Uint8Array,
  tags: readonly number[],
): unknown {
  const options = {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowInfinity: false,
    allowNaN: false,
    allowBigInt: false,
    useMaps: true,
    rejectDuplicateMapKeys: true,
    tags: Object.fromEntries(
      tags.map((tag) => [tag, (content: () => unknown): unknown => content()]),
    ),
  }
  const tokens = new Tokenizer(bytes, options)
  let items = 0
  const next = (): Library.Token => {
    items += 1
    // INVARIANT (bounded recursion): the library recurses at most once an item.
    if (items > itemsMax) throw new RangeError('too many items')
    const token = tokens.next()
    // Otherwise 1.0 would be read as 1 and pass for an integer.
    if (token.type.name === 'float') throw new RangeError('a float')
    return token
  }
  return decode(bytes, {
    ...options,
    tokenizer: { next, pos: () => tokens.pos(), done: () => tokens.done() },
  })
}
