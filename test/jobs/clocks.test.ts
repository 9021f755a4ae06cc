/** Comparing the clock of a node with those of the database and the other nodes. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../../src/jobs/clock.ts'
import { differenceOf, isBelievable, offsetOf } from '../../src/jobs/clocks.ts'

const exact = (ms: number) => ({ ms, errorMs: 0 })

test('the offset is measured from the middle of the question, and known as well as it was short', () => {
  assert.deepEqual(offsetOf(10_000, 9000, 10_400), { ms: 1200, errorMs: 200 })
})

test('a clock more than a minute from that of the database differs', () => {
  assert.equal(differenceOf(exact(60_000), []), undefined)
  assert.equal(
    differenceOf(exact(60_001), []),
    "the clock of this node is 60 seconds ahead of the database's",
  )
  assert.match(differenceOf(exact(-90_000), [0, 1]) ?? '', /90 seconds behind the database's/)
  // A slow answer says less.
  assert.equal(differenceOf({ ms: 70_000, errorMs: 15_000 }, []), undefined)
})

test('of two nodes, the one that the clock of the database contradicts is wrong', () => {
  assert.match(differenceOf(exact(120_000), [0]) ?? '', /120 seconds ahead of the database's/)
  assert.equal(differenceOf(exact(0), [120_000]), undefined)
  assert.equal(differenceOf(exact(50_000), [-50_000]), undefined)
})

test('a clock more than a minute from half of all clocks differs', () => {
  assert.match(
    differenceOf(exact(50_000), [-20_000, -50_000]) ?? '',
    /70 seconds ahead of that of every other node/,
  )
  assert.equal(differenceOf(exact(50_000), [-50_000, 0]), undefined)
  assert.match(
    differenceOf(exact(0), [0, 120_000, 90_000, -100_000]) ?? '',
    /90 seconds behind that of 3 of 4 other nodes/,
  )
  assert.equal(differenceOf(exact(0), [0, 120_000, 90_000]), undefined)
  assert.equal(differenceOf(exact(50_000), []), undefined)
})

test('time goes on from that of another node, and a time beyond a minute is not believed', () => {
  let wall = 1_000_000
  const clock = createClock({ system: () => wall, monotonic: () => wall })
  assert.equal(isBelievable(wall + 60_000, wall), true)
  assert.equal(isBelievable(wall + 60_001, wall), false)
  clock.raise(wall + 30_000)
  assert.equal(clock.now(), 1_030_000)
  wall += 10_000
  assert.equal(clock.now(), 1_030_000)
  wall += 25_000
  assert.equal(clock.now(), 1_035_000)
  clock.raise(1)
  assert.equal(clock.now(), 1_035_000)
})

test('irreversible jobs are held exactly while clocks differ', () => {
  const clock = createClock({ system: () => 1, monotonic: () => 1 })
  assert.equal(clock.held(), undefined)
  clock.differ('why')
  assert.equal(clock.held(), 'why')
  // That the system's clock is right after a leap says nothing about this.
  clock.accept()
  assert.equal(clock.held(), 'why')
  clock.differ(undefined)
  assert.equal(clock.held(), undefined)
})
