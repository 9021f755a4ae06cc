import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAdmission, plainAddress, sourceOf } from '../../src/wire/admission.ts'
import { defaultLimits } from '../../src/wire/limits.ts'

test('connections are bounded by source and in all, and given back', () => {
  const limits = { ...defaultLimits, connectionsMax: 3, connectionsPerSourceMax: 2 }
  const { connect } = createAdmission(limits)
  const leave = connect('a')
  assert.ok(leave !== undefined && connect('a') !== undefined)
  assert.equal(connect('a'), undefined)
  assert.ok(connect('b') !== undefined)
  assert.equal(connect('c'), undefined)
  leave()
  assert.ok(connect('c') !== undefined)
})

test('requests and their bytes are bounded by source and in all, and given back', async () => {
  const { begin, idle } = createAdmission({
    ...defaultLimits,
    requestsMax: 3,
    requestsPerSourceMax: 2,
    bodyBytesHeldMax: 10,
    bodyBytesHeldPerSourceMax: 6,
  })
  const first = begin('a')
  const second = begin('a')
  const third = begin('b')
  assert.ok(first && second && third)
  assert.equal(begin('a'), undefined)
  assert.equal(begin('c'), undefined)
  assert.ok(first.hold(6))
  assert.ok(!second.hold(1))
  assert.ok(third.hold(4))
  assert.ok(!third.hold(1))
  let resolved = false
  const drained = idle().then(() => (resolved = true))
  first.leave()
  assert.ok(second.hold(6))
  second.leave()
  await Promise.resolve()
  assert.equal(resolved, false)
  third.leave()
  await drained
  await idle()
  assert.ok(begin('c')?.hold(6))
})

test('an IPv6 client is its /64, an IPv4 client its address, over either kind of socket', () => {
  assert.equal(sourceOf('2001:db8:0:1:2:3:4:5'), sourceOf('2001:db8:0:1::1'))
  assert.equal(sourceOf('2001:DB8::1'), sourceOf('2001:db8:0:0:ffff::'))
  assert.notEqual(sourceOf('2001:db8:0:1::1'), sourceOf('2001:db8:0:2::1'))
  assert.equal(sourceOf('::1'), '0:0:0:0::/64')
  assert.equal(sourceOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(plainAddress('::ffff:10.1.2.3'), '10.1.2.3')
  assert.equal(plainAddress('2001:db8::1'), '2001:db8::1')
  assert.equal(plainAddress(undefined), '')
  assert.notEqual(sourceOf('10.1.2.3'), sourceOf('10.1.2.4'))
})
