import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { createRefusedUses, type RefusedUses } from '../../src/events/refused-uses.ts'
import type { KeyState } from '../../src/model/key.ts'
import { anyState } from '../../src/model/key-state.ts'
import type { OutgoingEvent } from '../../src/model/outgoing-event.ts'
import { newKey } from '../store/records.ts'

function open(save: (event: OutgoingEvent) => Promise<void> = () => Promise.resolve()) {
  const saved: OutgoingEvent[] = []
  const errors: Error[] = []
  let now = 0
  let limited = 0
  const uses: RefusedUses = createRefusedUses({
    store: {
      saveOutgoingEvent(event) {
        saved.push(event)
        return save(event)
      },
    },
    random: systemRandom,
    monotonic: () => now,
    onLimited: () => (limited += 1),
    onError: (error) => errors.push(error),
  })
  return {
    uses,
    saved,
    errors,
    limited: () => limited,
    pass: (ms: number) => void (now += ms),
    note: (keyId: string, state: KeyState = 'Disabled') =>
      uses.note({
        key: { ...newKey(keyId), state, rowVersion: 1 },
        partition: 'aws',
        record: '{"eventName":"Decrypt"}',
        time: 5,
      }),
  }
}

test('only uses of keys that are disabled or pending deletion make events', () => {
  const { note, saved } = open()
  for (const state of anyState) note(state, state)
  assert.deepEqual(
    saved.map(({ subject }) => subject.split('/')[1]),
    ['Disabled', 'PendingDeletion', 'PendingReplicaDeletion'],
  )
  const [first] = saved
  assert.equal(first?.isGuaranteed, false)
  assert.deepEqual(JSON.parse(first.body).detail, { eventName: 'Decrypt' })
})

test('a use is news if it would make an event', () => {
  const { uses, note, pass } = open()
  const isNews = (keyId: string, state: KeyState = 'Disabled'): boolean =>
    uses.isNews({ ...newKey(keyId), state, rowVersion: 1 }, 'aws')
  assert.deepEqual([isNews('k'), isNews('k', 'PendingImport')], [true, false])
  note('k')
  assert.deepEqual([isNews('k'), isNews('other')], [false, true])
  pass(60_000)
  assert.equal(isNews('k'), true)
})

test('each key makes one event a minute, and all keys a hundred', () => {
  const { note, saved, pass, limited } = open()
  note('k')
  pass(59_999)
  note('k')
  assert.deepEqual([saved.length, limited()], [1, 1])
  pass(1)
  note('k')
  assert.deepEqual([saved.length, limited()], [2, 1])
  for (let n = 0; n < 150; n += 1) note(`other ${n}`)
  assert.deepEqual([saved.length, limited()], [101, 52])
  pass(60_000)
  note('other 149')
  assert.equal(saved.length, 102)
})

test('an event that cannot be stored is logged, and a stop waits for those under way', async () => {
  const { promise, reject } = Promise.withResolvers<void>()
  const { note, uses, errors } = open(() => promise)
  note('k')
  const settled = uses.settled()
  reject(new Error('the disk is full'))
  await settled
  assert.equal(errors.length, 1)
  assert.match(errors[0]?.message ?? '', /could not be kept/)
})
