/** Why the operating system did not do what it was asked for. @module */

/** For example `ENOENT`. Undefined for what is no error of Node.js or of the system. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
