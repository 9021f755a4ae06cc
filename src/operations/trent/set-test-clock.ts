/**
 * SetTestClock — moves the clock that decisions and stored times use: `{"advance": "91d"}`
 * (s, m, h, d) or `{"set": "2030-01-01T00:00:00Z"}`. It keeps running from there.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { text } from '../../model/shape.ts'
import type { ClockReading } from './get-test-clock.ts'
import { trentOperation } from './trent-operation.ts'

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** The zone is required: without it, the time would depend on the machine. */
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/
/** Timestamps on the wire and in policies have four-digit years. */
const latest = Date.parse('9999-01-01T00:00:00Z')

export const setTestClock = trentOperation<ClockReading>()({
  name: 'SetTestClock',
  door: 'test',
  input: { advance: text({ min: 2, max: 16 }), set: text({ min: 1, max: 64 }) },
  permissions: () => [{ action: 'trent:SetTestClock' }],
  readOnly: false,
  audit: ['advance', 'set'],
  throws: ['ValidationException'],
  async run({ input }, { clock, server }) {
    const to = destination(input.advance, input.set, clock.now())
    if (to === undefined || to > latest || to < 0) {
      throw new KmsError(
        'ValidationException',
        'give either `advance`, a whole number of s, m, h or d as in `91d`, ' +
          'or `set`, an ISO 8601 time with its zone',
      )
    }
    await server.moveClock(to)
    return { now: new Date(clock.now()).toISOString() }
  },
})

function destination(
  advance: string | undefined,
  set: string | undefined,
  now: number,
): number | undefined {
  if ((advance === undefined) === (set === undefined)) return undefined
  if (set !== undefined) {
    const to = Date.parse(set)
    return isoTime.test(set) && isDay(set.slice(0, 10)) && !Number.isNaN(to) ? to : undefined
  }
  const [, count, unit] = /^(\d{1,10})([smhd])$/.exec(advance ?? '') ?? []
  if (count === undefined || unit === undefined) return undefined
  return now + Number(count) * unitMs[unit as keyof typeof unitMs] // the pattern allows these only
}

/** Rejects days such as 30 February, which `Date` turns into a day in March. */
function isDay(day: string): boolean {
  const start = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(start.getTime()) && start.toISOString().startsWith(day)
}
