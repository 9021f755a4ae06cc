/** Policy documents in answers. @module */

/** The document percent-encoded by RFC 3986. */
export function shownDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
