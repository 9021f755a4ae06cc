/**
 * A year in a minute: keys of each kind live through it by the clock that tests move. They are rotated, by
 * themselves, on demand and by hand, imported, replicated, disabled, deleted and saved, and their server is
 * killed at random meanwhile. All that they have ever made holds exactly while it should, and what the service
 * does by itself is recorded once.
 *
 * TRENT_YEAR_SEED repeats the choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifyJournal } from '../../src/audit/verify/verify.ts'
import { recordsOf } from '../compat/records.ts'
import { compareEvents } from '../lifecycle/life-events.ts'
import type { Living } from '../lifecycle/lives.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { seeded, type Seeded } from './seeded.ts'
import { aliasStory } from './year-alias.ts'
import { characters, type Character, type Line } from './year-characters.ts'
import { checkYear } from './year-check.ts'
import { openYear, places, type Year } from './year.ts'

const seed = Number(process.env['TRENT_YEAR_SEED'] ?? randomInt(2 ** 32 - 1))
const lastDay = 370
const checkedEveryDays = 20
/** The server dies in one of so many. */
const mortality = { acts: 25, makings: 80, moves: 80 }

type Act = readonly [day: number, act: (year: Year) => Promise<unknown>]

test('a year goes by, the server dies meanwhile, and all keys do as they are told', async (t) => {
  t.diagnostic(`TRENT_YEAR_SEED=${seed}`)
  const folder = temporaryFolder(t)
  const random = seeded(seed)
  const year = await openYear(t, folder, random, mortality)
  const alias = aliasStory(random)
  const acts = [...characters.flatMap((one) => lifeOf(one, random)), ...alias.days]
  let checked = 0
  for (const [day, act] of acts.toSorted(([one], [other]) => one - other)) {
    for (; checked + checkedEveryDays <= day; checked += checkedEveryDays) {
      await year.to(checked + checkedEveryDays)
      await checkYear(year, random)
      await alias.check(year)
    }
    await year.to(day)
    await act(year)
  }
  await year.to(lastDay)
  await year.server.die()
  await year.to(lastDay + 1)
  await checkYear(year, random)
  await alias.check(year)
  await year.server.stop()
  const made = year.livings.flatMap(({ key }) => key.proofs).length
  t.diagnostic(`${year.livings.length} keys, ${made} things made, ${year.server.deaths()} deaths`)
  t.diagnostic(`calls that the server died of: ${JSON.stringify(year.fates)}`)
  await assertRecorded(join(folder, 'data'), year)
})

/** The acts of a key's life, in their order, on days that the seed chooses. */
function lifeOf({ kind, name, lines }: Character, random: Seeded): readonly Act[] {
  let living: Living | undefined
  const begin: Act = [
    0,
    async (year) => {
      living = await year.begin(kind, places[0], name)
    },
  ]
  let day = 0
  return [
    begin,
    ...lines.map(([from, until, call, given = {}]: Line): Act => {
      day = Math.max(day, from + random.below(until - from + 1))
      const act = (year: Year): Promise<unknown> =>
        year.act(living ?? assert.fail(name), { place: places[0], ...given, call })
      return [day, act]
    }),
  ]
}

/** Each event of the service once, within the year, in a journal that is whole. */
async function assertRecorded(data: string, year: Year): Promise<void> {
  const { breaks, whole } = await verifyJournal(join(data, 'journal'))
  assert.deepEqual({ breaks, whole }, { breaks: [], whole: true })
  await compareEvents(data, year.livings)
  const events = year.livings.flatMap(({ life }) => life.events.map((one) => one.split(' ')[0]))
  for (const name of [
    'RotateKey',
    'DeleteKey',
    'DeleteExpiredKeyMaterial',
    'SynchronizeMultiRegionKey',
  ]) {
    assert(events.includes(name), `a year without ${name}`)
  }
  for (const { eventTime } of await recordsOf(data)) {
    const day = (Date.parse(eventTime) - year.begun) / 86_400_000
    assert(day > -1 && day < lastDay + 5, `a record of day ${day}`)
  }
}
