import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, plainAddress, readAddress, sourceOf } from '../../src/model/address.ts'

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

test('an address that somebody wrote has one spelling', () => {
  assert.equal(readAddress('192.0.2.1'), '192.0.2.1')
  assert.equal(readAddress('2001:DB8:0:0::1'), '2001:db8::1')
  assert.equal(readAddress('::ffff:c000:0201'), '192.0.2.1')
  assert.equal(readAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(readAddress('fe80::1%eth0'), 'fe80::1')
  assert.equal(readAddress(`fe80::1%${'e'.repeat(5000)}`), 'fe80::1')
  for (const wrong of ['', 'unknown', '192.0.2', '192.0.2.01', '1', '192.0.2.1 ', 'a.example']) {
    assert.equal(readAddress(wrong), undefined, wrong)
  }
})

test('a loopback address is one that only this machine reaches', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1']) assert.ok(isLoopback(host))
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example', '']) assert.ok(!isLoopback(host))
})
