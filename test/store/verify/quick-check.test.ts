/** The check after a start: bounded, once, and ended by a stop. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQuickCheck } from '../../../src/store/verify/quick-check.ts'
import { engines } from '../engines.ts'

for (const { name: engine, open } of engines) {
  test(`${engine}: a sound database has no problems, once every table was looked at`, async (t) => {
    if (engine !== 'sqlite') return t.skip('the check is SQLite’s own')
    const { database } = await open(t)
    const told: unknown[] = []
    const check = createQuickCheck(database, {
      pauseMs: 0,
      onProblems: (problems) => told.push(problems),
      onLeftOut: (why) => told.push(why),
    })
    assert.equal(check.isDone(), false)
    check.begin()
    check.begin()
    while (!check.isDone()) await new Promise(setImmediate)
    assert.deepEqual(check.problems(), [])
    assert.deepEqual(told, [])
    await check.close()
  })

  test(`${engine}: a file over the bound is left out, and a stop ends the check`, async (t) => {
    if (engine !== 'sqlite') return t.skip('the check is SQLite’s own')
    const { database } = await open(t)
    const told: string[] = []
    const of = { onProblems: () => assert.fail(), onLeftOut: (why: string) => told.push(why) }
    const large = createQuickCheck(database, { ...of, bytesMax: 4096 })
    large.begin()
    await large.close()
    assert.equal(large.isDone(), false)
    assert.deepEqual(told, ['the database is too large for a check at the start'])
    const never = 2 ** 30
    const stopped = createQuickCheck(database, { ...of, pauseMs: never })
    stopped.begin()
    await stopped.close()
    assert.equal(stopped.isDone(), false)
    assert.equal(told.length, 1)
    const unused = createQuickCheck(database, of)
    await unused.close()
  })
}
