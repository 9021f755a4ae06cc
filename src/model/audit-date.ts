/** Formats dates inside the parameters and answers of audit records as AWS does. @module */

/** `2026-09-12T06:21:24Z`: ISO 8601 in whole seconds. */
export function auditDate(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
