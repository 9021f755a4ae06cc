/**
 * The date of a signature, in seconds.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html
 * @module
 */

export interface Timestamp {
  /** `YYYYMMDDTHHMMSSZ`, as in the string to sign. */
  readonly basic: string
  /** Seconds since the epoch. */
  readonly seconds: number
}

const basicPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** A cache of one: requests of the same second have the same date, and parsing takes 2 µs. */
let last: Timestamp | undefined

/** Parses the ISO 8601 basic format or, for a `Date` header, the HTTP format. Undefined for other text. */
export function parseTimestamp(text: string): Timestamp | undefined {
  if (text === last?.basic) return last
  const timestamp = readTimestamp(text)
  if (timestamp?.basic === text) last = timestamp
  return timestamp
}

function readTimestamp(text: string): Timestamp | undefined {
  const parts = basicPattern.exec(text)
  if (parts !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
      .slice(1)
      .map(Number)
    const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
    // Date.UTC carries February 30 over into March, so the text differs.
    return formatBasic(seconds) === text ? { basic: text, seconds } : undefined
  }
  if (text.length !== 'Sun, 30 Aug 2015 12:36:00 GMT'.length) return undefined
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toUTCString() !== text) return undefined
  const seconds = milliseconds / 1000
  return { basic: formatBasic(seconds), seconds }
}

/** @param seconds since the epoch, whole */
export function formatBasic(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
