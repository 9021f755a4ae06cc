import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from '../../src/resolve/turns.ts'

test('each piece begins when the one before it has ended, in the order given', async () => {
  const inTurn = createTurns()
  const seen: string[] = []
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const done = gates.map(({ promise }, index) =>
    inTurn(async () => {
      seen.push(`begin ${index}`)
      await promise
      seen.push(`end ${index}`)
      return index
    }),
  )
  for (const { resolve } of gates.toReversed()) resolve()
  assert.deepEqual(await Promise.all(done), [0, 1, 2])
  assert.deepEqual(seen, ['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2'])
})

test('a piece that fails tells who gave it, and keeps none waiting', async () => {
  const inTurn = createTurns()
  const failing = inTurn(() => Promise.reject(new Error('no')))
  const next = inTurn(() => Promise.resolve('yes'))
  await assert.rejects(failing, { message: 'no' })
  assert.equal(await next, 'yes')
})
