/**
 * Patterns with `*` (any run) and `?` (any one UTF-16 unit), matched without backtracking. Both the
 * pattern and the value may be an attacker's: the time is at most value × pattern / 32, never more.
 * @module
 */

/** One piece of a pattern: literal text, or a wildcard. */
export type Piece = string | typeof many | typeof one

/** `*` */
export const many = Symbol('*')
/** `?` */
export const one = Symbol('?')

export type Glob = (value: string) => boolean

/** Text between two stars. `holes` are the places of `?`, where `text` holds a stand-in. */
interface Chunk {
  readonly text: string
  readonly holes: ReadonlySet<number> | undefined
}

/** Below this, the platform's search is at worst this much slower than linear. */
const shortChars = 32

/** Splits pattern text at its wildcards. */
export function piecesOf(pattern: string): readonly Piece[] {
  return pattern
    .split(/([*?])/)
    .filter((part) => part !== '')
    .map((part) => (part === '*' ? many : part === '?' ? one : part))
}

export function compileGlob(pieces: readonly Piece[]): Glob {
  const chunks = chunksOf(pieces)
  const [first, ...rest] = chunks
  const last = rest.pop()
  if (first === undefined) return (value) => value === ''
  if (last === undefined) {
    const { length } = first.text
    return (value) => value.length === length && fits(value, 0, first)
  }
  const anyRun = rest.length === 0 && first.text === '' && last.text === ''
  if (anyRun) return () => true
  return (value) => {
    const end = value.length - last.text.length
    let at = first.text.length
    if (end < at || !fits(value, 0, first) || !fits(value, end, last)) return false
    for (const chunk of rest) {
      const found = find(value, at, end, chunk)
      if (found === -1) return false
      at = found + chunk.text.length
    }
    return true
  }
}

/** n stars make n + 1 chunks; the outer two are anchored, empty ones between stars are dropped. */
function chunksOf(pieces: readonly Piece[]): readonly Chunk[] {
  const runs: Exclude<Piece, typeof many>[][] = [[]]
  for (const piece of pieces) {
    if (piece === many) runs.push([])
    else runs.at(-1)?.push(piece)
  }
  return runs
    .map(chunkOf)
    .filter(({ text }, index) => text !== '' || index === 0 || index === runs.length - 1)
}

function chunkOf(run: readonly Exclude<Piece, typeof many>[]): Chunk {
  const holes = new Set<number>()
  const texts: string[] = []
  let length = 0
  for (const piece of run) {
    const text = piece === one ? '?' : piece
    if (piece === one) holes.add(length)
    texts.push(text)
    length += text.length
  }
  return { text: texts.join(''), holes: holes.size === 0 ? undefined : holes }
}

function fits(value: string, at: number, { text, holes }: Chunk): boolean {
  if (holes === undefined) return value.startsWith(text, at)
  if (at + text.length > value.length) return false
  for (let index = 0; index < text.length; index += 1) {
    if (value[at + index] !== text[index] && !holes.has(index)) return false
  }
  return true
}

/** The first place in `value[from, to)` where the chunk fits whole, or -1. */
function find(value: string, from: number, to: number, chunk: Chunk): number {
  const { text, holes } = chunk
  if (to - from < text.length) return -1
  if (holes === undefined && text.length <= shortChars) {
    const found = value.indexOf(text, from)
    return found === -1 || found + text.length > to ? -1 : found
  }
  return shiftAnd(value, from, to, chunk)
}

/**
 * Shift-And over words of 32 bits: bit i of `state` says that the last i + 1 units fit the chunk's
 * first i + 1. A hole is a bit that every unit has.
 * @see R. Baeza-Yates, G. Gonnet: A new approach to text searching, CACM 35(10), 1992
 */
function shiftAnd(value: string, from: number, to: number, { text, holes }: Chunk): number {
  const words = Math.ceil(text.length / 32)
  const open = new Int32Array(words)
  for (const hole of holes ?? []) setBit(open, hole)
  const masks = new Map<number, Int32Array>()
  for (let index = 0; index < text.length; index += 1) {
    if (holes?.has(index)) continue
    const unit = text.charCodeAt(index)
    const mask = masks.get(unit) ?? open.slice()
    setBit(mask, index)
    masks.set(unit, mask)
  }
  const state = new Int32Array(words)
  const goal = 1 << ((text.length - 1) % 32)
  for (let at = from; at < to; at += 1) {
    const mask = masks.get(value.charCodeAt(at)) ?? open
    let carry = 1
    for (let word = 0; word < words; word += 1) {
      const before = state[word] ?? 0
      state[word] = ((before << 1) | carry) & (mask[word] ?? 0)
      carry = before >>> 31
    }
    if (((state[words - 1] ?? 0) & goal) !== 0) return at - text.length + 1
  }
  return -1
}

function setBit(words: Int32Array, bit: number): void {
  const word = bit >>> 5
  words[word] = (words[word] ?? 0) | (1 << (bit & 31))
}
