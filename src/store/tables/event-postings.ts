/**
 * Postings of the event index, in order, as pages of bytes. A posting says that a block has events
 * with a token, and when.
 *
 *     posting    token (8) ‖ u48 last time ‖ u48 block ‖ u24 last time − first time    23 bytes
 *     page       u8 version (1) ‖ Zstandard of the first bytes of all its postings, then of all
 *                second bytes, and so on: times and blocks of neighbours are alike, tokens are not
 *
 * In memory a posting is a text of 23 Latin-1 characters, because texts compare and sort fast.
 * Numbers are big-endian, times are milliseconds since the epoch.
 * @module
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

export const tokenBytes = 8
const timeAt = tokenBytes
const blockAt = timeAt + 6
const spanAt = blockAt + 6
const postingBytes = spanAt + 3
const version = 1
/** A look-up reads one page of each run. */
export const pageMax = 512

/** A block that has events with a token, and the time of the latest of them. */
export interface BlockRef {
  readonly lastTime: number
  readonly block: number
}

/** The pages of a run are in the order of the keys of their first postings. */
export interface PostingPage {
  /** Token, last time and block of its first posting. */
  readonly first: Uint8Array
  readonly content: Uint8Array
}

export type Posting = string

/** What is looked up, as 8 Latin-1 characters. */
export type Token = string

export function postingOf(token: Token, { lastTime, block }: BlockRef, firstTime: number): Posting {
  const bytes = Buffer.allocUnsafe(postingBytes)
  bytes.writeUIntBE(lastTime, timeAt, 6)
  bytes.writeUIntBE(block, blockAt, 6)
  bytes.writeUIntBE(lastTime - firstTime, spanAt, 3)
  return token + bytes.toString('latin1', tokenBytes)
}

/** The part of a posting that orders it. */
export function keyOf(token: Token, { lastTime, block }: BlockRef): string {
  return postingOf(token, { lastTime, block }, lastTime).slice(0, spanAt)
}

export function readPosting(posting: Posting): BlockRef & { readonly firstTime: number } {
  const bytes = Buffer.from(posting, 'latin1')
  const lastTime = bytes.readUIntBE(timeAt, 6)
  const block = bytes.readUIntBE(blockAt, 6)
  return { lastTime, block, firstTime: lastTime - bytes.readUIntBE(spanAt, 3) }
}

/** Splits sorted postings into pages. */
export function pagesOf(sorted: readonly Posting[]): readonly PostingPage[] {
  const pages: PostingPage[] = []
  for (let start = 0; start < sorted.length; start += pageMax) {
    pages.push(encodePage(sorted.slice(start, start + pageMax)))
  }
  return pages
}

export function encodePage(sorted: readonly Posting[]): PostingPage {
  const count = sorted.length
  const columns = Buffer.allocUnsafe(count * postingBytes)
  for (const [row, posting] of sorted.entries()) {
    for (let column = 0; column < postingBytes; column += 1) {
      columns[column * count + row] = posting.charCodeAt(column)
    }
  }
  const packed = zstdCompressSync(columns, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  return {
    first: Buffer.from(sorted[0]?.slice(0, spanAt) ?? '', 'latin1'),
    content: Buffer.concat([Buffer.of(version), packed]),
  }
}

/** The postings of a page in order; none if the page cannot be read. */
export function decodePage(content: Uint8Array): readonly Posting[] {
  const columns = columnsOf(content)
  return rowsOf(columns, 0, columns.length / postingBytes)
}

/** The postings of a page from one key, up to but without another. */
export function postingsBetween(
  content: Uint8Array,
  from: string,
  until: string,
): readonly Posting[] {
  const columns = columnsOf(content)
  return rowsOf(columns, firstFrom(columns, from), firstFrom(columns, until))
}

function columnsOf(content: Uint8Array): Buffer {
  if (content[0] !== version) return Buffer.of()
  try {
    const options = { maxOutputLength: pageMax * postingBytes }
    const columns = zstdDecompressSync(content.subarray(1), options)
    return columns.length % postingBytes === 0 ? columns : Buffer.of()
  } catch {
    return Buffer.of() // an attacker can hide events from the index, not from the journal
  }
}

/** The first row that is not before a key. */
function firstFrom(columns: Buffer, key: string): number {
  const count = columns.length / postingBytes
  const isBefore = (row: number): boolean => {
    for (let column = 0; column < key.length; column += 1) {
      const difference = (columns[column * count + row] ?? 0) - key.charCodeAt(column)
      if (difference !== 0) return difference < 0
    }
    return false
  }
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

function rowsOf(columns: Buffer, from: number, until: number): readonly Posting[] {
  const count = columns.length / postingBytes
  const row = Buffer.alloc(postingBytes)
  return Array.from({ length: Math.max(0, until - from) }, (_, index) => {
    for (let column = 0; column < postingBytes; column += 1) {
      row[column] = columns[column * count + from + index] ?? 0
    }
    return row.toString('latin1')
  })
}
