/** Reads header fields from the raw list, in which a repeated field is still visible. @module */

/**
 * Every value of the header `name`, in the order sent.
 * @param name lower case
 */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  let at = findHeader(rawHeaders, name, 0)
  while (at !== -1) {
    values.push(rawHeaders[at + 1] ?? '')
    at = findHeader(rawHeaders, name, at + 2)
  }
  return values
}

/**
 * The index of the next header `name` from the even index `from`, or -1.
 * @param name lower case
 */
export function findHeader(rawHeaders: readonly string[], name: string, from: number): number {
  for (let index = from; index + 1 < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] ?? ''
    if (given.length === name.length && given.toLowerCase() === name) return index
  }
  return -1
}

/** The first value of the header. @param name lower case */
export function firstHeader(rawHeaders: readonly string[], name: string): string | undefined {
  const at = findHeader(rawHeaders, name, 0)
  return at === -1 ? undefined : rawHeaders[at + 1]
}

/** The media type alone, in lower case: `application/json` of `Application/JSON; charset=utf-8`. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** The path of an origin-form target, still encoded. */
export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}
