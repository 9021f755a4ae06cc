/** The values of condition keys in one request. @module */

/** Request context by lower-case condition key; every value is a list, single-valued keys have one. */
export type Context = ReadonlyMap<string, readonly string[]>
