/** What the vendor's library gets from the environment of this process. @module */

/** The variables with these names, as all that the child process has. */
export function libraryEnvironment(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
