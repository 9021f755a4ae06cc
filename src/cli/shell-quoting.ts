/** Words for a shell. @module */

/** Text in single quotes, as every shell of Unix reads it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
