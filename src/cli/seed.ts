/** Reads values of an untrusted file, with a position for every fault. @module */
import type { DocumentFile } from './document-file.ts'

type Entry = Readonly<Record<string, unknown>>

export interface Placed {
  readonly value: Entry
  /** The value's pointer. */
  readonly at: string
}

/** The value's member; undefined when it has none. */
export function memberOf(value: unknown, name: string): unknown {
  return isEntry(value) && Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined
}

/** An optional list of entries. @throws {ConfigError} */
export function entriesOf(
  { faultAt }: DocumentFile,
  value: unknown,
  name: string,
  at: string,
): readonly Placed[] {
  const given = memberOf(value, name) ?? []
  if (!Array.isArray(given)) throw faultAt(`${at}/${name}`, 'must be a list')
  return given.map((item: unknown, index) => {
    const place = `${at}/${name}/${index}`
    if (!isEntry(item)) throw faultAt(place, 'must hold names and values')
    return { value: item, at: place }
  })
}

/** An optional entry of names and values; empty when absent. */
export function entryOf(value: Entry, name: string): Entry {
  const given = memberOf(value, name)
  return isEntry(given) ? given : {}
}

/** @throws {ConfigError} when it is missing */
export function textOf({ faultAt }: DocumentFile, value: Entry, name: string, at: string): string {
  const given = memberOf(value, name)
  if (typeof given === 'string' && given !== '') return given
  throw faultAt(at, `${name} is needed`)
}

/** An optional list of texts. @throws {ConfigError} */
export function textsOf(
  { faultAt }: DocumentFile,
  value: Entry,
  name: string,
  at: string,
): readonly string[] {
  const given = memberOf(value, name) ?? []
  if (Array.isArray(given) && given.every((item) => typeof item === 'string')) return given
  throw faultAt(`${at}/${name}`, 'must be a list of texts')
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
