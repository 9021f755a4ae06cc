/**
 * Renders outputs as XML like AWS's Query services: list items are `member`, dates are ISO 8601 in
 * whole seconds, bytes are base64.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 * @module
 */

/** One element. Empty when `value` is undefined or null. */
export function element(name: string, value: unknown): string {
  const content = contentOf(value)
  return content === undefined ? '' : `<${name}>${content}</${name}>`
}

function contentOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return `${value.toISOString().slice(0, 19)}Z`
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((item: unknown) => element('member', item)).join('')
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, member]) => element(name, member))
      .join('')
  }
  throw new TypeError(`an output holds a ${typeof value}`)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
}

/** Escapes the text of an element. Characters that XML 1.0 cannot express are replaced. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"'\r]/g, (character) => entities[character] ?? '')
}
