/** Formats the time of an audit record. @module */

/** Cached, because many records fall into the same second. */
let lastTime = { second: 0, text: '1970-01-01T00:00:00Z' }

/** ISO 8601 in whole seconds, as CloudTrail prints it. */
export function eventTime(time: number): string {
  const second = Math.floor(time / 1000)
  if (second !== lastTime.second) {
    lastTime = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  }
  return lastTime.text
}
