/**
 * Parses JSON from outside, more strictly than `JSON.parse`. It refuses bytes that are not UTF-8,
 * duplicate names, and lone surrogates: UTF-8 cannot carry those, so two different texts would be
 * authenticated as one. Depth and the number of objects, lists and values are bounded. Objects have no
 * prototype, so `__proto__` is an ordinary member. It works on the bytes, so that no returned string
 * keeps the whole text in memory.
 * @see https://www.rfc-editor.org/rfc/rfc8259
 * @module
 */
import { isUtf8 } from 'node:buffer'

export interface JsonLimits {
  /** Nested objects and lists, including the outermost. */
  readonly depthMax: number
  /** Objects and lists in one text. They cost the most memory for each byte of JSON. */
  readonly containersMax?: number
  /** Values in one text, at all depths. Short members cost the most time for each byte of JSON. */
  readonly valuesMax?: number
  /** Accepts lone surrogates that are written as escapes. */
  readonly keepsLoneSurrogates?: true
}

/** What is wrong with a text. For tests and logs, never for the caller. */
export type JsonFault =
  | 'not UTF-8'
  | 'syntax'
  | 'duplicate member'
  | 'lone surrogate'
  | 'number out of range'
  | 'too deep'
  | 'too many objects and lists'
  | 'too many values'
  | 'not an object'

/** The text is not JSON that Trent accepts. The error holds no byte of it. */
export class MalformedJson extends Error {
  readonly fault: JsonFault

  constructor(fault: JsonFault) {
    super(`malformed JSON: ${fault}`)
    this.name = 'MalformedJson'
    this.fault = fault
  }
}

/** An object as sent: without a prototype, unchecked. */
export type JsonObject = Record<string, unknown>

interface Reader {
  readonly bytes: Buffer
  readonly limits: JsonLimits
  at: number
  containersLeft: number
  valuesLeft: number
}

/** @throws {MalformedJson} */
export function parseJson(bytes: Buffer, limits: JsonLimits): unknown {
  if (!isUtf8(bytes)) throw new MalformedJson('not UTF-8')
  const { containersMax = Infinity, valuesMax = Infinity } = limits
  const left = { containersLeft: containersMax, valuesLeft: valuesMax }
  const reader: Reader = { bytes, limits, at: 0, ...left }
  const value = readValue(reader, 0)
  skipSpace(reader)
  if (reader.at !== bytes.length) throw new MalformedJson('syntax')
  return value
}

/** Like `parseJson`, for a text that must be one object. @throws {MalformedJson} */
export function parseJsonObject(bytes: Buffer, limits: JsonLimits): JsonObject {
  const value = parseJson(bytes, limits)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedJson('not an object')
  }
  return value as JsonObject // readValue creates no other objects
}

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const colon = 0x3a
const openList = 0x5b
const backslash = 0x5c
const closeList = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/** The byte at the reader's position. -1 after the end, which equals no byte. */
function peek(reader: Reader): number {
  return reader.bytes[reader.at] ?? -1
}

function skipSpace(reader: Reader): void {
  let byte = peek(reader)
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
    reader.at += 1
    byte = peek(reader)
  }
}

function expect(reader: Reader, byte: number): void {
  if (peek(reader) !== byte) throw new MalformedJson('syntax')
  reader.at += 1
}

function readValue(reader: Reader, depth: number): unknown {
  skipSpace(reader)
  reader.valuesLeft -= 1
  if (reader.valuesLeft < 0) throw new MalformedJson('too many values')
  switch (peek(reader)) {
    case openObject:
      enter(reader, depth)
      return readObject(reader, depth + 1)
    case openList:
      enter(reader, depth)
      return readList(reader, depth + 1)
    case quote:
      return readString(reader)
    case 0x74:
      return readWord(reader, 'true', true)
    case 0x66:
      return readWord(reader, 'false', false)
    case 0x6e:
      return readWord(reader, 'null', null)
    default:
      return readNumber(reader)
  }
}

/** Skips the bracket. Checks the depth before the recursion happens. */
function enter(reader: Reader, depth: number): void {
  if (depth >= reader.limits.depthMax) throw new MalformedJson('too deep')
  reader.containersLeft -= 1
  if (reader.containersLeft < 0) throw new MalformedJson('too many objects and lists')
  reader.at += 1
}

function readObject(reader: Reader, depth: number): JsonObject {
  const object: JsonObject = Object.create(null)
  skipSpace(reader)
  if (peek(reader) === closeObject) {
    reader.at += 1
    return object
  }
  for (;;) {
    skipSpace(reader)
    const name = readString(reader)
    // With duplicate members, one could be checked and the other one used.
    if (name in object) throw new MalformedJson('duplicate member')
    skipSpace(reader)
    expect(reader, colon)
    object[name] = readValue(reader, depth)
    skipSpace(reader)
    if (peek(reader) === closeObject) break
    expect(reader, comma)
  }
  reader.at += 1
  return object
}

function readList(reader: Reader, depth: number): unknown[] {
  const list: unknown[] = []
  skipSpace(reader)
  if (peek(reader) === closeList) {
    reader.at += 1
    return list
  }
  for (;;) {
    list.push(readValue(reader, depth))
    skipSpace(reader)
    if (peek(reader) === closeList) break
    expect(reader, comma)
  }
  reader.at += 1
  return list
}

function readWord<T>(reader: Reader, word: string, value: T): T {
  const end = reader.at + word.length
  if (reader.bytes.toString('latin1', reader.at, Math.min(end, reader.bytes.length)) !== word) {
    throw new MalformedJson('syntax')
  }
  reader.at = end
  return value
}

function readNumber(reader: Reader): number {
  const start = reader.at
  if (peek(reader) === minus) reader.at += 1
  if (peek(reader) === zero) reader.at += 1
  else readDigits(reader)
  if (peek(reader) === dot) {
    reader.at += 1
    readDigits(reader)
  }
  if (peek(reader) === 0x65 || peek(reader) === 0x45) {
    reader.at += 1
    if (peek(reader) === minus || peek(reader) === 0x2b) reader.at += 1
    readDigits(reader)
  }
  const value = Number(reader.bytes.toString('latin1', start, reader.at))
  if (!Number.isFinite(value)) throw new MalformedJson('number out of range')
  return value
}

function readDigits(reader: Reader): void {
  const start = reader.at
  for (let byte = peek(reader); byte >= zero && byte <= 0x39; byte = peek(reader)) reader.at += 1
  if (reader.at === start) throw new MalformedJson('syntax')
}

function readString(reader: Reader): string {
  expect(reader, quote)
  const { bytes } = reader
  const start = reader.at
  let end = start
  let seen = 0
  let escaped = false
  for (;;) {
    const byte = bytes[end] ?? -1
    if (byte === quote) break
    // A control character, or the end of the text.
    if (byte < 0x20) throw new MalformedJson('syntax')
    seen |= byte
    if (byte === backslash) {
      escaped = true
      end += 1
      // The escaped character may be a quote. `unescape` checks it.
      if (end >= bytes.length) throw new MalformedJson('syntax')
    }
    end += 1
  }
  reader.at = end + 1
  const text =
    seen < 0x80 && !escaped
      ? bytes.toString('latin1', start, end)
      : bytes.toString('utf8', start, end)
  return escaped ? unescape(text, reader.limits) : text
}

/**
 * Decodes escapes. The platform's parser is thirty times as fast as a callback for each escape. `text`
 * ends before its quote and holds no control character.
 */
function unescape(text: string, { keepsLoneSurrogates }: JsonLimits): string {
  const read = parsedString(text)
  if (keepsLoneSurrogates !== true && !read.isWellFormed())
    throw new MalformedJson('lone surrogate')
  return read
}

function parsedString(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    throw new MalformedJson('syntax')
  }
}
