/**
 * Random lifecycle calls in random order, on keys of several kinds and in each of their Regions, get
 * the answer that a small model of the key-state table predicts, and leave the key as the model says.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { callNames } from './life-calls.ts'
import { cellKinds, isAskedOf, moreKinds } from './life-cells.ts'
import { compareEvents } from './life-events.ts'
import { nextDate, type Kind } from './life-model.ts'
import { openLives, places, type Asked, type Living, type KeyRegion } from './lives.ts'

const day = 86_400_000

/** `of` counts the Regions that have the key; a greater number is a Region that may not. */
type Step =
  | (Omit<Asked, 'place'> & { readonly of: number })
  | { readonly advance: number }
  /** Advances to this long before the next date. */
  | { readonly before: number }

const asked = (call: fc.Arbitrary<string>): fc.Arbitrary<Step> =>
  fc
    .record({
      call,
      of: fc.constantFrom(0, 0, 0, 1, 1, 2, places.length),
      to: fc.constantFrom(...places),
      days: fc.constantFrom(7, 9, 30),
      material: fc.constantFrom('A', 'A', 'A', 'B', 'B', 'C'),
      type: fc.constantFrom(undefined, undefined, 'NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'),
      lastsDays: fc.constantFrom(undefined, undefined, 1, 31, 365),
    })
    .map(({ call: name, of, to, days, material, type, lastsDays }) => {
      switch (name) {
        case 'ReplicateKey':
        case 'UpdatePrimaryRegion':
          return { call: name, of, to }
        case 'ScheduleKeyDeletion':
          return { call: name, of, days }
        case 'EnableKeyRotation':
          return { call: name, of, days: 90 + days }
        case 'ImportKeyMaterial':
          return { call: name, of, material, type, lastsDays }
        case 'DeleteImportedKeyMaterial':
          return type === undefined ? { call: name, of } : { call: name, of, material }
        default:
          return { call: name, of }
      }
    })

/** The Region of a step. */
function placeOf({ life }: Living, of: number): KeyRegion {
  const there = places.filter((one) => life.keys.has(one))
  const gone = places.find((one) => !life.keys.has(one)) ?? places[2]
  return of === places.length ? gone : (there[of % there.length] ?? gone)
}

/** How often a deleted key is called. */
const goneMax = 5

/** Calls that change keys, and calls that make the rest interesting. */
const turning = [
  'EnableKey',
  'EnableKey',
  'DisableKey',
  'CancelKeyDeletion',
  'CancelKeyDeletion',
  'ScheduleKeyDeletion',
  'EnableKeyRotation',
  'DisableKeyRotation',
  'RotateKeyOnDemand',
  'ReplicateKey',
  'ReplicateKey',
  'UpdatePrimaryRegion',
  'UpdatePrimaryRegion',
  'ImportKeyMaterial',
  'ImportKeyMaterial',
  'ImportKeyMaterial',
  'DeleteImportedKeyMaterial',
] as const

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: asked(fc.constantFrom(...turning)) },
  { weight: 3, arbitrary: asked(fc.constantFrom(...callNames)) },
  {
    weight: 3,
    arbitrary: fc.record({
      advance: fc.constantFrom(1, 100, 249, 250, 1000, 1000, day, 8 * day, 31 * day, 91 * day),
    }),
  },
  { weight: 2, arbitrary: fc.record({ before: fc.constantFrom(0, 1, 100, 1000) }) },
)

/** A key with what makes the rest interesting: material, and a replica that has it too. */
function furnished({ origin, multiRegion }: Kind): readonly Step[] {
  const imported = (of: number): Step[] =>
    origin === 'EXTERNAL' ? [{ call: 'ImportKeyMaterial', of, material: 'A' }] : []
  const replicated: Step[] = [
    { call: 'ReplicateKey', of: 0, to: places[1] },
    { advance: 1000 },
    ...imported(1),
  ]
  return [...imported(0), ...(multiRegion ? replicated : [])]
}

const runs = Number(process.env['TRENT_LIFE_RUNS'] ?? 30)

test('any lifecycle calls in any order do to a key what the table of its states says', async (t) => {
  const lives = await openLives(t)
  const outcomes: Record<string, number> = {}
  const steps = fc.array(step, { minLength: 20, maxLength: 50, size: 'max' })
  const kinds = fc.constantFrom(...cellKinds, ...moreKinds)
  const property = fc.asyncProperty(kinds, fc.boolean(), steps, async (kind, bare, more) => {
    const living = await lives.begin(kind)
    let gone = 0
    for (const one of [...(bare ? [] : furnished(kind)), ...more]) {
      if (living.life.keys.size === 0 && (gone += 1) > goneMax) break
      if ('advance' in one) await lives.advance(living, one.advance)
      else if ('before' in one) {
        const { now } = living.life
        const date = nextDate(living.life) ?? now
        await lives.advance(living, Math.max(0, date - one.before - now))
      } else if (isAskedOf(kind, one.call)) {
        const { of, ...call } = one
        const answered = await lives.ask(living, { ...call, place: placeOf(living, of) })
        const { outcome = 'done' } = answered ?? { outcome: 'not asked' }
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      }
    }
    await lives.prove(living)
  })
  await fc.assert(property, { numRuns: runs })
  await compareEvents(lives.directory, lives.begun)
  t.diagnostic(JSON.stringify(outcomes))
  // The runs have covered their subject; the table itself is walked in `key-state-table.test.ts`.
  for (const outcome of ['done', 'KMSInvalidStateException', 'UnsupportedOperationException']) {
    assert((outcomes[outcome] ?? 0) > runs, outcome)
  }
})
