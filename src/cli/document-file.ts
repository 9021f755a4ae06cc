/**
 * Reads a YAML or JSON file into plain values and their positions. The file may be untrusted: anchors,
 * aliases, tags and directives are refused as tokens, before anything is built. Depth, tokens and bytes
 * are bounded. Names must be texts and unique.
 * @see https://yaml.org/spec/1.2.2/
 * @module
 */
import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import { CST, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, parseAllDocuments } from 'yaml'
import { ConfigError } from '../config.ts'

/** Just below the megabyte of JSON that the operator door accepts. */
const bytesMax = 1_000_000
const tokensMax = 400_000
/** Nested brackets, and columns of indentation. Both bound the depth of a reader's recursion. */
const flowDepthMax = 32
const columnMax = 200

/** `core`: numbers, true, false and null have their types. `failsafe`: they are texts. */
export type Scalars = 'core' | 'failsafe'

export interface DocumentFile {
  /** Objects have no prototype. */
  readonly value: unknown
  /**
   * One clear line about the value at `pointer`, or about the nearest value around it.
   * @param pointer `#/accounts/0/users/1`, with steps escaped as in a URI
   */
  readonly faultAt: (pointer: string, message: string) => ConfigError
}

/** @param path `-` is standard input @throws {ConfigError} one line: `file:line:column: what is wrong` */
export function readDocumentFile(path: string, scalars: Scalars = 'core'): DocumentFile {
  return parseDocument(readText(path), path === '-' ? '<stdin>' : path, scalars)
}

function readText(path: string): string {
  const bytes = Buffer.alloc(bytesMax + 1)
  let length = 0
  try {
    const descriptor = path === '-' ? 0 : openSync(path, 'r')
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    if (path !== '-') closeSync(descriptor)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`${path} cannot be read: ${why}`, { cause })
  }
  if (length > bytesMax)
    throw new ConfigError(`${path}:1:1: the file has more than ${bytesMax} bytes`)
  const text = bytes.subarray(0, length)
  if (!isUtf8(text)) throw new ConfigError(`${path}:1:1: the file is not UTF-8`)
  return text.toString('utf8')
}

/** @param name the file's name in refusals @throws {ConfigError} */
export function parseDocument(text: string, name: string, scalars: Scalars = 'core'): DocumentFile {
  const lines = new LineCounter()
  const fault = (offset: number, message: string): ConfigError => {
    const before = text.slice(0, offset).split('\n')
    const column = (before.at(-1)?.length ?? 0) + 1
    return new ConfigError(`${name}:${before.length}:${column}: ${message}`)
  }
  requireHarmless(text, fault)
  // Duplicate names are found below, because the library's check is quadratic.
  const options = { schema: scalars, uniqueKeys: false, strict: true, lineCounter: lines } as const
  const documents = parseAllDocuments(text, { ...options, prettyErrors: false })
  if (!Array.isArray(documents)) throw fault(0, 'the file is empty')
  const [document, second] = documents
  if (document === undefined) throw fault(0, 'the file is empty')
  const [error] = [...document.errors, ...document.warnings]
  if (error !== undefined) throw fault(error.pos[0], withoutText(error.message))
  if (second !== undefined) throw fault(second.range[0], 'the file holds more than one document')
  const places = new Map<string, number>()
  const value = valueOf(document.contents, '#', { places, fault })
  return { value, faultAt: (pointer, message) => fault(nearest(places, pointer), message) }
}

/** Removes text that the library quotes from the file, because it may be a secret. */
function withoutText(message: string): string {
  return message.replace(/[:\n\\"'`][^]*$/, '').trim()
}

type Fault = (offset: number, message: string) => ConfigError

const refusedTokens: Readonly<Record<string, string>> = {
  anchor: 'anchors are not supported',
  alias: 'aliases are not supported',
  tag: 'tags are not supported',
  'directive-line': 'directives are not supported',
}
/** Zero-width marks between the lexer's tokens. */
const marks = new Set(['\u0002', '\u0018', '\u001F'])
const scalarMark = '\u001F'

/** Checks the tokens alone, because every later reader is recursive. */
function requireHarmless(text: string, fault: Fault): void {
  // oxlint-disable-next-line no-control-regex -- what YAML calls printable
  const control = /[\0-\u0008\u000B\u000C\u000E-\u001F\u007F]/.exec(text)
  if (control !== null) throw fault(control.index, 'a control character')
  let offset = 0
  let column = 0
  let depth = 0
  let tokens = 0
  let previous = ''
  for (const token of new Lexer().lex(text)) {
    if (marks.has(token)) {
      previous = token
      continue
    }
    tokens += 1
    if (tokens > tokensMax) throw fault(offset, 'the file holds too many tokens')
    const type = previous === scalarMark ? 'scalar' : CST.tokenType(token)
    const refused = type === null ? undefined : refusedTokens[type]
    if (refused !== undefined) throw fault(offset, refused)
    if (type === 'flow-map-start' || type === 'flow-seq-start') depth += 1
    if (type === 'flow-map-end' || type === 'flow-seq-end') depth -= 1
    const block = type === 'seq-item-ind' || type === 'explicit-key-ind'
    const indentation = type === 'space' && column === 0 && token.length > columnMax
    if (depth > flowDepthMax || (block && column > columnMax) || indentation) {
      throw fault(offset, 'it is nested too deeply')
    }
    offset += token.length
    const lineStart = token.lastIndexOf('\n')
    column = lineStart === -1 ? column + token.length : token.length - lineStart - 1
    previous = token
  }
}

interface Reading {
  readonly places: Map<string, number>
  readonly fault: Fault
}

function valueOf(node: unknown, pointer: string, reading: Reading): unknown {
  const { places, fault } = reading
  if (node === null || node === undefined) return null
  const at = offsetOf(node)
  if (!places.has(pointer)) places.set(pointer, at)
  if (isSeq(node)) {
    return node.items.map((item, index) => valueOf(item, `${pointer}/${index}`, reading))
  }
  if (isMap(node)) {
    const value: Record<string, unknown> = Object.create(null)
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key) || typeof pair.key.value !== 'string') {
        throw fault(isPair(pair) ? offsetOf(pair.key, at) : at, 'a name must be a text: quote it')
      }
      const { value: name } = pair.key
      if (!name.isWellFormed()) throw fault(offsetOf(pair.key), 'a lone surrogate')
      const place = `${pointer}/${encodeURIComponent(name)}`
      if (Object.hasOwn(value, name)) throw fault(offsetOf(pair.key), `\`${name}\` is there twice`)
      places.set(place, offsetOf(pair.key))
      value[name] = valueOf(pair.value, place, reading)
    }
    return value
  }
  if (isScalar(node)) return scalarOf(node.value, at, fault)
  throw fault(at, 'must be a value, a list or a mapping')
}

function scalarOf(value: unknown, at: number, fault: Fault): unknown {
  if (typeof value === 'string' && !value.isWellFormed()) throw fault(at, 'a lone surrogate')
  if (typeof value === 'number' && !Number.isFinite(value)) throw fault(at, 'not a finite number')
  return value
}

function offsetOf(node: unknown, otherwise = 0): number {
  const range = (node as { readonly range?: readonly number[] | null } | null)?.range
  return range?.[0] ?? otherwise
}

function nearest(places: ReadonlyMap<string, number>, pointer: string): number {
  for (let at = pointer; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
    const offset = places.get(at)
    if (offset !== undefined) return offset
  }
  return 0
}
