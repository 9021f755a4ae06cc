/** A multi-Region key against a small model of the key-state table, in three Regions. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { KmsError } from '../../src/errors.ts'
import { engines } from '../store/engines.ts'
import { assertCountsKept } from '../store/kept-counts.ts'
import {
  firstRegion,
  openSeveralRegions,
  regions,
  start,
  type KeyRegion,
  type SeveralRegions,
} from './several-regions.ts'
import { calls, dayMs, jobs, type Model } from './several-regions-model.ts'

async function matches(world: SeveralRegions, model: Model): Promise<void> {
  const currents = new Set<string | undefined>()
  for (const place of regions) {
    const key = await world.row(place)
    const expected = model.keys.get(place)
    assert.equal(key?.state, expected?.state, place)
    if (key === undefined || expected === undefined) continue
    assert.deepEqual(
      {
        primary: key.primaryRegion,
        days: key.rotationPeriodDays,
        next: key.nextRotationAt,
        startedAt: key.onDemandRotationStartedAt,
        since: key.transitionStartedAt,
        deletesAt: key.deletionDate,
      },
      {
        primary: model.primary,
        days: model.schedule?.days,
        next: model.schedule?.next,
        startedAt: model.startedAt,
        since: expected.since,
        deletesAt: expected.deletesAt,
      },
      place,
    )
    const materials = await world.store.listMaterialStates(key, { limit: 1000 })
    assert.equal(materials.length, 1 + model.rotations, place)
    assert.equal(materials.at(-1)?.materialId, key.currentMaterialId)
    currents.add(key.currentMaterialId)
  }
  assert(currents.size <= 1, 'the Regions differ')
}

type Step =
  /** `of` counts the Regions that have the key. */
  | { readonly call: string; readonly of: number; readonly to: KeyRegion; readonly days: number }
  | { readonly advance: number }
  | { readonly look: true }

const place = fc.constantFrom(...regions)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      call: fc.constantFrom(...Object.keys(calls)),
      of: fc.nat(2),
      to: place,
      days: fc.integer({ min: 7, max: 30 }),
    }),
  },
  {
    weight: 3,
    // Calls that make the rest interesting: replicas exist.
    arbitrary: fc.record({
      call: fc.constantFrom(
        'ReplicateKey',
        'UpdatePrimaryRegion',
        'EnableKey',
        'CancelKeyDeletion',
        'RotateKeyOnDemand',
      ),
      of: fc.nat(2),
      to: place,
      days: fc.constant(7),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      advance: fc.oneof(
        fc.constantFrom(0, 249, 250, dayMs, 7 * dayMs, 30 * dayMs, 97 * dayMs),
        fc.integer({ min: -2 * dayMs, max: 200 * dayMs }),
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ look: fc.constant(true as const) }) },
)

/** Every Region has the key, and the primary key's deletion waits for the replicas. */
const begun: readonly Step[] = [
  ...regions.map((to) => ({ call: 'ReplicateKey', of: 0, to, days: 7 })),
  ...[0, 1, 2].map((of) => ({ call: 'ScheduleKeyDeletion', of, to: firstRegion, days: 7 + of })),
]

// Each run has a database of its own: too many for one server's connections.
for (const engine of engines.filter(({ name }) => name === 'sqlite')) {
  test(`${engine.name}: any calls and jobs in any order leave related keys as the model says`, async (t) => {
    const seen = new Set<string>()
    const steps = fc.array(step, { minLength: 10, maxLength: 70, size: 'max' })
    const property = fc.asyncProperty(fc.constantFrom(begun, []), steps, async (begin, more) => {
      const world = await openSeveralRegions(t, engine)
      const model: Model = {
        now: start,
        keys: new Map([
          [firstRegion, { state: 'Enabled', since: undefined, deletesAt: undefined, window: 0 }],
        ]),
        primary: firstRegion,
        schedule: undefined,
        startedAt: undefined,
        rotations: 0,
        onDemand: 0,
      }
      const sealed: Uint8Array[] = []
      for (const one of [...begin, ...more]) {
        if ('advance' in one) world.now = model.now += one.advance
        else if ('look' in one) {
          const { size } = model.keys
          await world.look()
          jobs(model)
          if (model.keys.size < size) seen.add('gone')
        } else {
          const { call, of, to, days } = one
          const at = [...model.keys.keys()][of % model.keys.size]
          if (at === undefined) continue
          const input = inputOf(call, to, days)
          const outcome = await world.call(call, at, input).then(
            () => undefined,
            (error: unknown) =>
              error instanceof KmsError ? error.code : assert.fail(String(error)),
          )
          const what = `${call} ${at} ${JSON.stringify(input)}`
          assert.equal(outcome, calls[call]?.(model, at, { to, days }), what)
          seen.add(`${call} ${outcome ?? 'done'}`)
        }
        await matches(world, model)
        await assertCountsKept(world.database)
        for (const at of regions) {
          const key = await world.row(at)
          if (key !== undefined) sealed.push(await world.seal(key, String(sealed.length)))
        }
      }
      // Every Region that has the key decrypts what any Region has encrypted.
      for (const at of regions) {
        const key = await world.row(at)
        if (key === undefined) continue
        for (const [index, blob] of sealed.entries()) {
          assert.equal(await world.open(key, blob), String(index))
        }
      }
      const materials = await world.store.listMaterials('111122223333', world.keyId)
      assert.equal(materials.length, model.keys.size === 0 ? 0 : 1 + model.rotations)
    })
    await fc.assert(property, { numRuns: 40 })
    // The runs have covered their subject.
    for (const call of Object.keys(calls)) assert(seen.has(`${call} done`), call)
    assert(seen.has('gone'))
  })
}

function inputOf(call: string, to: KeyRegion, days: number): object {
  switch (call) {
    case 'ReplicateKey':
      return { ReplicaRegion: to }
    case 'UpdatePrimaryRegion':
      return { PrimaryRegion: to }
    case 'ScheduleKeyDeletion':
      return { PendingWindowInDays: days }
    case 'EnableKeyRotation':
      return { RotationPeriodInDays: 90 + days }
    default:
      return {}
  }
}
