/** What the rows of a table can refuse to a change. @module */

/** The row that a change was decided on has changed since. Decide again. */
export class StaleRow extends Error {}

/** A unique name is taken, such as an alias or an access key id. */
export class DuplicateRow extends Error {}
