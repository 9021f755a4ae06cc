/**
 * Reads header fields from the list as it came, where a second field of one name still shows.
 * @module
 */

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
 * Where the next header `name` is, from the even index `from` on; -1 when there is none.
 * @param name lower case
 */
export function findHeader(rawHeaders: readonly string[], name: string, from: number): number {
  for (let index = from; index + 1 < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] ?? ''
    if (given.length === name.length && given.toLowerCase() === name) return index
  }
  return -1
}

/** The first value of that name, lower case, where there may be several. */
export function firstHeader(rawHeaders: readonly string[], name: string): string | undefined {
  const at = findHeader(rawHeaders, name, 0)
  return at === -1 ? undefined : rawHeaders[at + 1]
}

/** `application/json` of `Application/JSON; charset=utf-8`: the media type alone, lower case. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** The path of an origin-form target, not decoded. */
export function pathOf(target: string): string {
  const end = target.indexOf('?')
  return end === -1 ? target : target.slice(0, end)
}
