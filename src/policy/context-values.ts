/** The type of a request's condition keys. @module */

/** Values by lower-case condition key. Each is a list; a single-valued key has one value. */
export type Context = ReadonlyMap<string, readonly string[]>
