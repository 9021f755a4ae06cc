import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from '../../src/pipeline/turns.ts'

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

test('a crowd of one account waits for itself, whatever others it has before it', async () => {
  const inTurn = createTurns()
  const seen: string[] = []
  const work = (name: string, accountId: string, principalId = 'u'): Promise<void> =>
    inTurn(async () => void seen.push(name), { accountId, principalId })
  const crowd = ['a1', 'a2', 'a3', 'a4'].map((name) => work(name, 'a'))
  await Promise.all([...crowd, work('b1', 'b'), work('v1', 'a', 'v')])
  assert.deepEqual(seen, ['a1', 'a2', 'b1', 'v1', 'a3', 'a4'])
})

test('as many pieces are done at once as there are places', async () => {
  const inTurn = createTurns(2)
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const begun: number[] = []
  const done = gates.map(({ promise }, index) =>
    inTurn(() => {
      begun.push(index)
      return promise
    }),
  )
  assert.deepEqual(begun, [0, 1])
  gates[1]?.resolve()
  await done[1]
  assert.deepEqual(begun, [0, 1, 2])
  gates[0]?.resolve()
  gates[2]?.resolve()
  await Promise.all(done)
})
