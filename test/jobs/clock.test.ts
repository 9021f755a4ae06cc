/**
 * A clock that never runs backwards, and that holds irreversible jobs until an operator confirms it.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockMemory, createClock } from '../../src/jobs/clock.ts'

const day = 86_400_000
const start = 2_000_000_000_000

function opened() {
  const time = { system: start, monotonic: 5 }
  const clock = createClock({ system: () => time.system, monotonic: () => time.monotonic })
  const pass = (ms: number): void => {
    time.system += ms
    time.monotonic += ms
  }
  return { time, clock, pass }
}

test('the clock follows the system, and stands still after a setback until the system has caught up', () => {
  const { time, clock, pass } = opened()
  pass(1000)
  assert.equal(clock.now(), start + 1000)
  time.system -= 500
  assert.equal(clock.now(), start + 1000)
  assert.equal(clock.system(), start + 500)
  pass(600)
  assert.equal(clock.now(), start + 1100)
})

test('a later process continues from the time of an earlier one', () => {
  const { clock, pass } = opened()
  clock.resume(start + 3000)
  assert.equal(clock.now(), start + 3000)
  pass(4000)
  assert.equal(clock.now(), start + 4000)
  assert.equal(clock.held(), undefined)
})

test('a clock that is set by more than a minute while the server runs holds irreversible jobs', () => {
  for (const [by, held] of [
    [60_000, false],
    [-60_000, false],
    [61_000, true],
    [-61_000, true],
    [3650 * day, true],
  ] as const) {
    const { time, clock, pass } = opened()
    pass(30 * day)
    assert.equal(clock.held(), undefined)
    time.system += by
    assert.equal(clock.held() !== undefined, held, String(by))
    // Setting it back does not explain why it was set.
    time.system -= by
    assert.equal(clock.held() !== undefined, held)
    clock.accept()
    assert.equal(clock.held(), undefined)
  }
})

test('a start holds irreversible jobs after more than a week, and not after less', () => {
  for (const [away, held] of [
    [7 * day, false],
    [7 * day + 1, true],
    [-day, false],
  ] as const) {
    const { clock } = opened()
    clock.resume(start - away)
    assert.equal(clock.held() !== undefined, held, String(away))
  }
  const { clock } = opened()
  clock.resume(start - 30 * day)
  assert.match(clock.held() ?? '', /^the clock is 30 days past/)
  clock.accept()
  assert.equal(clock.held(), undefined)
  assert.equal(clock.now(), start)
})

test('accepting a clock that was ahead continues with the present time', () => {
  const { time, clock } = opened()
  time.system += 3650 * day
  assert.equal(clock.now(), start + 3650 * day)
  time.system -= 3650 * day
  assert.equal(clock.now(), start + 3650 * day)
  clock.accept()
  assert.equal(clock.now(), start)
})

test('moving the clock in tests is not a leap, and a restart does not continue from it', () => {
  const { clock, pass } = opened()
  clock.move(start + 400 * day)
  pass(10)
  assert.equal(clock.now(), start + 400 * day + 10)
  assert.equal(clock.held(), undefined)
  assert.equal(clock.reached(), start + 10)
  clock.move(start - day)
  assert.equal(clock.now(), start - day)
})

test('clocks with shared memory move together, and none is behind the latest time of another', () => {
  const memory = clockMemory()
  const time = { one: start + 500, other: start }
  const one = createClock({ system: () => time.one, monotonic: () => 0 }, memory)
  const other = createClock({ system: () => time.other, monotonic: () => 0 }, memory)
  assert.equal(one.now(), start + 500)
  assert.equal(other.now(), start + 500)
  assert.equal(other.system(), start)
  one.move(start + day)
  assert.equal(other.now(), start + day)
  time.other += 700
  assert.equal(other.now(), start + day + 200)
  assert.equal(one.now(), start + day + 200)
})
