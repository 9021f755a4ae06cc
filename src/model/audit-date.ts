/** Dates inside `responseElements`, as AWS writes them there. @module */

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `Aug 10, 2022, 10:38:27 PM`, UTC: not a locale's form, which differs between ICU versions. */
export function auditDate(date: Date): string {
  const twoDigits = (value: number): string => String(value).padStart(2, '0')
  const hours = date.getUTCHours()
  const day = `${months[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`
  const minutes = `${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}`
  return `${day}, ${hours % 12 || 12}:${minutes} ${hours < 12 ? 'AM' : 'PM'}`
}
