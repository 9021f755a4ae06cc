/** Reading what somebody else's file holds, with a place for every fault. @module */
import type { DocumentFile } from './document-file.ts'

type Entry = Readonly<Record<string, unknown>>

export interface Placed {
  readonly value: Entry
  /** Its pointer. */
  readonly at: string
}

/** The value's member; undefined where the value has none. */
export function memberOf(value: unknown, name: string): unknown {
  return isEntry(value) && Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined
}

/** A list of entries, which may be left out. @throws {ConfigError} */
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

/** An entry of names and values; an empty one where it is left out. */
export function entryOf(value: Entry, name: string): Entry {
  const given = memberOf(value, name)
  return isEntry(given) ? given : {}
}

/** @throws {ConfigError} where there is none */
export function textOf({ faultAt }: DocumentFile, value: Entry, name: string, at: string): string {
  const given = memberOf(value, name)
  if (typeof given === 'string' && given !== '') return given
  throw faultAt(at, `${name} is needed`)
}

/** A list of texts, which may be left out. @throws {ConfigError} */
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
