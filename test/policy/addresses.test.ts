/** IPv4 addresses in IPv6 form: one address, however the request or the policy spells it. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAmong, readAddresses } from '../../src/policy/scalars.ts'

function among(block: string, address: string): boolean | undefined {
  const addresses = readAddresses(block)
  assert.ok(addresses !== undefined, block)
  return isAmong(addresses, address)
}

const spellings = [
  '203.0.113.8',
  '::ffff:203.0.113.8',
  '::FFFF:203.0.113.8',
  '::ffff:cb00:7108',
  '0:0:0:0:0:ffff:cb00:7108',
]

test('an IPv4 address is in its block in every spelling', () => {
  for (const spelling of spellings) {
    assert.equal(among('203.0.113.0/24', spelling), true, spelling)
    assert.equal(among('203.0.114.0/24', spelling), false, spelling)
    assert.equal(among('::/0', spelling), false, spelling)
  }
})

test('a block of IPv4 addresses in IPv6 form holds these addresses', () => {
  for (const block of ['::ffff:203.0.113.0/120', '::ffff:cb00:7100/120', '::FFFF:203.0.113.8']) {
    assert.equal(among(block, '203.0.113.8'), true, block)
    assert.equal(among(block, '::ffff:cb00:7108'), true, block)
    assert.equal(among(block, '203.0.114.8'), false, block)
    assert.equal(among(block, '2001:db8::1'), false, block)
  }
})

test('an address with a scope, a port or a prefix is no address', () => {
  for (const text of ['fe80::1%eth0', '203.0.113.8:443', '[::1]', '203.0.113.8/32', '']) {
    assert.equal(among('::/0', text), undefined, text)
  }
})
