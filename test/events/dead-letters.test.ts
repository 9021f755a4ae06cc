import assert from 'node:assert/strict'
import { readFileSync, renameSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDeadLetters } from '../../src/events/dead-letters.ts'
import type { OutgoingEvent } from '../../src/model/outgoing-event.ts'
import { temporaryFolder } from '../store/engines.ts'

const eventOf = (id: string): OutgoingEvent => ({
  eventId: id,
  subject: 'key',
  isGuaranteed: true,
  madeAt: 0,
  body: `{"id":"${id}","detail":{}}`,
})

const lineOf = (id: string): string =>
  `{"deadAt":"1970-01-01T00:00:01.000Z","why":"a \\"reason\\"","event":{"id":"${id}","detail":{}}}`

test('dead letters are lines of a file that only its owner can read', async (t) => {
  const path = join(temporaryFolder(t), 'dead')
  const dead = createDeadLetters(path)
  assert.equal(await dead.append([eventOf('a'), eventOf('b')], 'a "reason"', 1000), true)
  assert.equal(await dead.append([eventOf('c')], 'a "reason"', 1000), true)
  assert.equal(readFileSync(path, 'utf8'), ['a', 'b', 'c'].map((id) => `${lineOf(id)}\n`).join(''))
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a cut line does not spoil the next one', async (t) => {
  const path = join(temporaryFolder(t), 'dead')
  const dead = createDeadLetters(path)
  await dead.append([eventOf('a')], 'a "reason"', 1000)
  truncateSync(path, statSync(path).size - 9)
  await dead.append([eventOf('b')], 'a "reason"', 1000)
  assert.equal(readFileSync(path, 'utf8'), `${lineOf('a').slice(0, -8)}\n${lineOf('b')}\n`)
})

test('a full file takes no events until it is moved away', async (t) => {
  const path = join(temporaryFolder(t), 'dead')
  const dead = createDeadLetters(path, 250)
  assert.equal(await dead.append([eventOf('a'), eventOf('b')], 'a "reason"', 1000), true)
  assert.equal(await dead.append([eventOf('c')], 'a "reason"', 1000), false)
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 3)
  renameSync(path, `${path}.seen`)
  assert.equal(await dead.append([eventOf('c')], 'a "reason"', 1000), true)
  assert.equal(readFileSync(path, 'utf8'), `${lineOf('c')}\n`)
})
