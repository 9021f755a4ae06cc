/** Lookups of names that callers choose. @module */
import assert from 'node:assert/strict'
import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { test } from 'node:test'
import { createPublicLookup, PrivateAddress } from '../../src/model/public-address.ts'
import { startNameServer } from './name-server.ts'

function ask(lookup: LookupFunction, name: string, family?: number): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(name, { all: true, ...(family !== undefined && { family }) }, (error, found) => {
      if (error === null) resolve(found as LookupAddress[]) // as `all` asks for
      else reject(error)
    })
  })
}

const four = '8.8.8.8'
const six = '2606:4700:0:0:0:0:0:1111'

test('a name has its public addresses, and one private address refuses it', async (t) => {
  const refused = {
    'inside.test': ['10.0.0.7'],
    'mixed.test': [four, '192.168.0.1'],
    'metadata.test': [four, '169.254.169.254'],
    'mapped.test': [four, '0:0:0:0:0:ffff:a00:7'],
    'nat64.test': [four, '64:ff9b:0:0:0:0:a00:7'],
    '6to4.test': [four, '2002:a00:7:0:0:0:0:1'],
    'teredo.test': [four, '2001:0:a00:7:0:0:0:1'],
    'local.test': [six, 'fd00:ec2:0:0:0:0:0:254'],
    'link.test': [four, 'fe80:0:0:0:0:0:0:1'],
    'loopback.test': [four, '0:0:0:0:0:0:0:1'],
  }
  const zone = { ...refused, 'four.test': [four], 'six.test': [six], 'both.test': [six, four] }
  const { server, asked } = await startNameServer(t, zone)
  const lookup = createPublicLookup([server])
  const v4 = { address: four, family: 4 }
  const v6 = { address: '2606:4700::1111', family: 6 }
  assert.deepEqual(await ask(lookup, 'four.test'), [v4])
  assert.deepEqual(await ask(lookup, 'six.test'), [v6])
  assert.deepEqual(await ask(lookup, 'both.test'), [v4, v6])
  assert.deepEqual(await ask(lookup, 'both.test', 6), [v6])
  for (const name of Object.keys(refused)) {
    await assert.rejects(ask(lookup, name), PrivateAddress, name)
  }
  await assert.rejects(ask(lookup, 'none.test'), { code: 'ENODATA' })
  // Nobody is asked for names of this machine, nor for other ways to write an address.
  const before = asked.length
  for (const name of ['localhost', 'a.LOCALHOST.', '2130706433', '0x7f.1', '127.1', '127.0.0.1.']) {
    await assert.rejects(ask(lookup, name), PrivateAddress, name)
  }
  assert.equal(asked.length, before)
})

test('name servers that keep silent about some names delay no other lookup', async (t) => {
  const names = Array.from({ length: 16 }, (_, index) => `silent-${index}.test`)
  const zone = Object.fromEntries(names.map((name) => [name, 'silent'] as const))
  const { server, asked, next } = await startNameServer(t, { ...zone, 'other.test': [four] })
  const lookup = createPublicLookup([server])
  const silent = names.map((name) => assert.rejects(ask(lookup, name), { code: 'ETIMEOUT' }, name))
  while (new Set(asked).size < names.length) await next()
  // The process has two threads for lookups by the operating system. No lookup here takes one.
  const takesThread = (): boolean => process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')
  assert.equal(takesThread(), false)
  const system = new Promise((done) => systemLookup('localhost', done))
  assert.ok(takesThread())
  await system
  assert.deepEqual(await ask(lookup, 'other.test'), [{ address: four, family: 4 }])
  // Each ends by itself, although nobody waits for it any more.
  await Promise.all(silent)
})

test('many lookups of one name at once ask for it once', async (t) => {
  const { server, asked } = await startNameServer(t, {
    'silent.test': 'silent',
    'one.test': [four],
  })
  const lookup = createPublicLookup([server])
  const many = (name: string) =>
    Promise.allSettled(Array.from({ length: 50 }, () => ask(lookup, name)))
  const one = await many('one.test')
  assert.ok(one.every(({ status }) => status === 'fulfilled'))
  const silent = await many('silent.test')
  assert.ok(silent.every(({ status }) => status === 'rejected'))
  // For both families, and again if the answer is late.
  for (const name of ['one.test', 'silent.test']) {
    assert.ok(asked.filter((each) => each === name).length <= 4, name)
  }
  // It is asked anew afterwards.
  const before = asked.length
  await ask(lookup, 'one.test')
  assert.ok(asked.length > before)
})
