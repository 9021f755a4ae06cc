/**
 * Makes untrusted text safe for an operator's terminal: statement ids, names, error messages. A
 * terminal obeys control characters, a line break in a value can forge a line of the output, and
 * direction marks reorder text. Each such character is shown as its JSON escape.
 * @module
 */

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

export function visible(text: string): string {
  return text.replaceAll(unseen, (character) => character.split('').map(escape).join(''))
}

/** One line of JSON with the same value. */
export function inJson(value: unknown): string {
  return `${visible(JSON.stringify(value))}\n`
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The same value with every text in it escaped, including member names. */
export function visibleIn<T>(value: T): T {
  return shown(value) as T // of the same shape
}

function shown(value: unknown): unknown {
  if (typeof value === 'string') return visible(value)
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [visible(name), shown(member)]),
  )
}
