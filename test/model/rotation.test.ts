/** The schedule of automatic rotation, on time and late. @module */
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord } from '../../src/model/key.ts'
import { isRotationDue, nextRotationAfter, rotationScheduleOf } from '../../src/model/rotation.ts'
import { newKey, otherRegion, region } from '../store/records.ts'

const dayMs = 86_400_000
const due: KeyRecord = {
  ...newKey('k', { rotationPeriodDays: 90, nextRotationAt: 1000 }),
  rowVersion: 1,
}

test('a rotation is due from its moment on', () => {
  assert.equal(isRotationDue(due, 999), false)
  assert.equal(isRotationDue(due, 1000), true)
  assert.equal(isRotationDue({ ...due, primaryRegion: region }, 1000), true)
})

for (const [what, members] of [
  ['is disabled', { state: 'Disabled' }],
  ['is to be deleted', { state: 'PendingDeletion' }],
  ['is imported', { origin: 'EXTERNAL' }],
  ['is in a custom key store', { origin: 'AWS_CLOUDHSM' }],
  ['is asymmetric', { spec: 'RSA_2048' }],
  ['is a replica', { primaryRegion: otherRegion }],
] as const) {
  test(`a key that ${what} is not rotated by itself`, () => {
    assert.equal(isRotationDue({ ...due, ...members }, 1000), false)
  })
}

test('a key without a schedule is never due, but for one that AWS manages', () => {
  const { rotationPeriodDays: _, nextRotationAt: __, ...off } = due
  assert.equal(rotationScheduleOf(off), undefined)
  assert.equal(isRotationDue(off, Number.MAX_SAFE_INTEGER), false)
  const yearly = { periodDays: 365, nextAt: off.createdAt + 365 * dayMs }
  assert.deepEqual(rotationScheduleOf({ ...off, manager: 'AWS' }), yearly)
  const later = { periodDays: 90, nextAt: 1000 }
  assert.deepEqual(rotationScheduleOf({ ...due, manager: 'AWS' }), later)
})

test('the next rotation is always ahead, by a period at most, and on schedule unless one was missed', () => {
  const day = fc.integer({ min: 90, max: 2560 })
  fc.assert(
    fc.property(day, fc.nat(), fc.nat({ max: 1e13 }), (periodDays, nextAt, late) => {
      const now = nextAt + late
      const period = periodDays * dayMs
      const next = nextRotationAfter({ periodDays, nextAt }, now)
      assert(next > now && next <= now + period)
      if (late < period) assert.equal(next, nextAt + period)
      else assert.equal(next, now + period)
    }),
  )
})
