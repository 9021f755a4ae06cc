/**
 * Matches patterns with `*` (any run) and `?` (any one UTF-16 unit) without backtracking. An attacker
 * may control both pattern and value, so every match counts its steps.
 * @module
 */
import { spend, type Work } from './work.ts'

/** One piece of a pattern: literal text, or a wildcard. */
export type Piece = string | typeof many | typeof one

/** `*` */
export const many = Symbol('*')
/** `?` */
export const one = Symbol('?')

/** @throws {WorkSpent} */
export type Glob = (value: string, work: Work) => boolean

const star = '*'.charCodeAt(0)
const hole = '?'.charCodeAt(0)

/** Text between two stars. */
interface Chunk {
  /** The text, with a stand-in at each `?`. */
  readonly text: string
  /** As long as `text`, with `?` at those positions. Undefined without any. */
  readonly holes: string | undefined
  /** Built at the first search for the chunk, then kept. */
  masks?: Masks
}

/**
 * Up to this length, the platform's search is used. Its worst case is `text.length` units at each
 * position.
 */
const searchedCharsMax = 32
/** Up to this length, a chunk with holes is compared at each position, which is cheaper than masks. */
const comparedCharsMax = 8
/** Steps of a match, in addition to the units that it reads. */
const matchSteps = 16

/** Splits a pattern at its wildcards. Consecutive stars become one, with the same meaning. */
export function piecesOf(pattern: string): readonly Piece[] {
  const pieces: Piece[] = []
  let start = 0
  for (let at = 0; at < pattern.length; at += 1) {
    const unit = pattern.charCodeAt(at)
    if (unit !== star && unit !== hole) continue
    if (at > start) pieces.push(pattern.slice(start, at))
    if (unit === hole) pieces.push(one)
    else if (pieces.at(-1) !== many) pieces.push(many)
    start = at + 1
  }
  if (start < pattern.length) pieces.push(pattern.slice(start))
  return pieces
}

export function compileGlob(pieces: readonly Piece[]): Glob {
  const chunks = chunksOf(pieces)
  const [first, ...rest] = chunks
  const last = rest.pop()
  if (first === undefined) return (value) => value === ''
  if (last === undefined) {
    const { length } = first.text
    return (value, work) => {
      spend(work, matchSteps)
      return value.length === length && fits(value, 0, first, work)
    }
  }
  const anyRun = rest.length === 0 && first.text === '' && last.text === ''
  if (anyRun) return () => true
  return (value, work) => {
    spend(work, matchSteps)
    const end = value.length - last.text.length
    let at = first.text.length
    if (end < at || !fits(value, 0, first, work) || !fits(value, end, last, work)) return false
    for (const chunk of rest) {
      const found = find(value, at, end, chunk, work)
      if (found === -1) return false
      at = found + chunk.text.length
    }
    return true
  }
}

/** n stars make n + 1 chunks. The outer two are anchored, and empty ones between stars are dropped. */
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
  const text = run.map((piece) => (piece === one ? '?' : piece)).join('')
  if (!run.includes(one)) return { text, holes: undefined }
  const holes = run.map((piece) => (piece === one ? '?' : ' '.repeat(piece.length))).join('')
  return { text, holes }
}

function fits(value: string, at: number, { text, holes }: Chunk, work: Work): boolean {
  spend(work, holes === undefined ? text.length : 4 * text.length)
  return holes === undefined ? value.startsWith(text, at) : fitsHoles(value, at, text, holes)
}

function fitsHoles(value: string, at: number, text: string, holes: string): boolean {
  if (at + text.length > value.length) return false
  for (let index = 0; index < text.length; index += 1) {
    const same = value.charCodeAt(at + index) === text.charCodeAt(index)
    if (!same && holes.charCodeAt(index) !== hole) return false
  }
  return true
}

/** The first position in `value[from, to)` at which the whole chunk fits, or -1. */
function find(value: string, from: number, to: number, chunk: Chunk, work: Work): number {
  const { text, holes } = chunk
  spend(work, matchSteps)
  if (to - from < text.length) return -1
  if (holes === undefined && text.length <= searchedCharsMax) {
    const found = value.indexOf(text, from)
    const looked = (found === -1 ? value.length : found + 1) - from
    spend(work, looked * (8 + text.length))
    return found === -1 || found + text.length > to ? -1 : found
  }
  return text.length <= comparedCharsMax && holes !== undefined
    ? compareAll(value, from, to, { text, holes }, work)
    : shiftAnd(value, from, to, chunk, work)
}

function compareAll(
  value: string,
  from: number,
  to: number,
  { text, holes }: { readonly text: string; readonly holes: string },
  work: Work,
): number {
  for (let at = from; at + text.length <= to; at += 1) {
    spend(work, 4 * text.length)
    if (fitsHoles(value, at, text, holes)) return at
  }
  return -1
}

/** For each unit, a bit set of the positions in the chunk that it fits. */
interface Masks {
  /** Where the words of a unit start in `bits`. Those of all other units start at 0. */
  readonly starts: ReadonlyMap<number, number>
  readonly bits: Int32Array
  /** 32-bit words of each set. */
  readonly words: number
}

function masksOf({ text, holes }: Chunk): Masks {
  const words = Math.ceil(text.length / 32)
  const units = new Set<number>()
  for (let index = 0; index < text.length; index += 1) units.add(text.charCodeAt(index))
  const starts = new Map([...units].map((unit, index) => [unit, (index + 1) * words]))
  const isHole = (index: number): boolean => holes?.charCodeAt(index) === hole
  const bits = new Int32Array((units.size + 1) * words)
  const set = (start: number, bit: number): void => {
    const word = start + (bit >>> 5)
    bits[word] = (bits[word] ?? 0) | (1 << (bit & 31))
  }
  for (let index = 0; index < text.length; index += 1) if (isHole(index)) set(0, index)
  for (const start of starts.values()) bits.copyWithin(start, 0, words)
  for (let index = 0; index < text.length; index += 1) {
    if (!isHole(index)) set(starts.get(text.charCodeAt(index)) ?? 0, index)
  }
  return { starts, bits, words }
}

/**
 * Shift-And over words of 32 bits: bit i of `state` says that the last i + 1 units fit the chunk's
 * first i + 1. Every unit fits a hole.
 * @see R. Baeza-Yates, G. Gonnet: A new approach to text searching, CACM 35(10), 1992
 */
function shiftAnd(value: string, from: number, to: number, chunk: Chunk, work: Work): number {
  const { length } = chunk.text
  if (chunk.masks === undefined) {
    spend(work, 64 * length)
    chunk.masks = masksOf(chunk)
  }
  const { starts, bits, words } = chunk.masks
  const state = new Int32Array(words)
  const goal = 1 << ((length - 1) % 32)
  for (let at = from; at < to; at += 1) {
    spend(work, 16 + 2 * words)
    const start = starts.get(value.charCodeAt(at)) ?? 0
    let carry = 1
    for (let word = 0; word < words; word += 1) {
      const before = state[word] ?? 0
      state[word] = ((before << 1) | carry) & (bits[start + word] ?? 0)
      carry = before >>> 31
    }
    if (((state[words - 1] ?? 0) & goal) !== 0) return at - length + 1
  }
  return -1
}
