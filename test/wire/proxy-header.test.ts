import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readProxyHeader } from '../../src/wire/proxy-header.ts'
import { proxyV2 } from './proxy-v2.ts'

const text = (line: string): Buffer => Buffer.from(line, 'latin1')

test('version 1 names the client of each family, and ends before the first byte of it', () => {
  const v4 = 'PROXY TCP4 203.0.113.7 10.0.0.1 56324 443\r\n'
  assert.deepEqual(readProxyHeader(text(`${v4}POST / HTTP/1.1`)), {
    bytes: v4.length,
    address: '203.0.113.7',
    local: false,
    tls: false,
  })
  const v6 = readProxyHeader(text('PROXY TCP6 2001:DB8::0:7 ::1 1 2\r\n'))
  assert.ok(typeof v6 === 'object' && v6.address === '2001:db8::7')
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n']) {
    assert.deepEqual(readProxyHeader(text(line)), { bytes: line.length, local: false, tls: false })
  }
})

test('version 1 that is not quite itself is malformed', () => {
  for (const line of [
    'PROXY TCP4 203.0.113.7 10.0.0.1 56324\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.1 56324 65536\r\n',
    'PROXY TCP4 2001:db8::7 10.0.0.1 1 2\r\n',
    'PROXY TCP6 203.0.113.7 ::1 1 2\r\n',
    'PROXY TCP4 203.0.113.07 10.0.0.1 1 2\r\n',
    'PROXY TCP4  203.0.113.7 10.0.0.1 1 2\r\n',
    'PROXY UDP4 203.0.113.7 10.0.0.1 1 2\r\n',
    'PROXY TCP4 localhost 10.0.0.1 1 2\r\n',
    'PROXY UNKNOWNS\r\n',
    `PROXY TCP4 ${'1'.repeat(200)}\r\n`,
  ]) {
    assert.equal(readProxyHeader(text(line)), 'malformed', line)
  }
})

test('bytes that may still become a header are waited for, others are none', () => {
  const whole = text('PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n')
  const binary = proxyV2({ address: '203.0.113.7' })
  for (const header of [whole, binary]) {
    for (let length = 1; length < header.length; length += 1) {
      assert.equal(readProxyHeader(header.subarray(0, length)), 'more', `${length}`)
    }
    assert.equal(typeof readProxyHeader(header), 'object')
  }
  for (const first of [
    'POST / HTTP/1.1\r\n',
    'PO',
    'PROX1',
    'PROXYX',
    'GET',
    '\r\nPOST',
    '\x16\x03',
  ]) {
    assert.equal(readProxyHeader(text(first)), 'none', first)
  }
})

test('version 2 names the client, and says whether it came over TLS', () => {
  const plain = proxyV2({ address: '203.0.113.7' })
  assert.deepEqual(readProxyHeader(Buffer.concat([plain, text('POST')])), {
    bytes: plain.length,
    address: '203.0.113.7',
    local: false,
    tls: false,
  })
  const overTls = readProxyHeader(proxyV2({ address: '2001:db8::7', tls: 0x01 }))
  assert.ok(typeof overTls === 'object' && overTls.tls && overTls.address === '2001:db8::7')
  // The field is there, but says that the client came without TLS.
  const without = readProxyHeader(proxyV2({ address: '203.0.113.7', tls: 0x00 }))
  assert.ok(typeof without === 'object' && !without.tls)
  const mapped = readProxyHeader(proxyV2({ address: '::ffff:203.0.113.7' }))
  assert.ok(typeof mapped === 'object' && mapped.address === '203.0.113.7')
})

test('version 2 without a client says none: a local connection, a socket of another family', () => {
  const local = readProxyHeader(proxyV2({ address: '203.0.113.7', tls: 1, command: 0x20 }))
  assert.ok(typeof local === 'object' && local.local && !local.tls && local.address === undefined)
  const unspecified = readProxyHeader(proxyV2({ family: 0x00 }))
  assert.ok(typeof unspecified === 'object' && !unspecified.local)
  assert.equal(unspecified.address, undefined)
  const datagram = readProxyHeader(proxyV2({ address: '203.0.113.7', family: 0x12 }))
  assert.ok(typeof datagram === 'object' && datagram.address === undefined)
})

test('version 2 with another version, command or length is malformed', () => {
  const right = proxyV2({ address: '203.0.113.7' })
  const changed = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(right)
    copy.set(bytes, at)
    return copy
  }
  for (const wrong of [
    changed(12, 0x11),
    changed(12, 0x22),
    changed(12, 0x31),
    changed(13, 0x51),
    // Too short for its addresses; a field longer than its place; longer than anything in use.
    changed(14, 0, 11),
    Buffer.concat([changed(14, 0, 15), Buffer.from([0x20, 0, 1])]),
    Buffer.concat([changed(14, 0, 14), Buffer.from([0x20, 0])]),
    changed(14, 0x10, 0x01),
  ]) {
    assert.equal(readProxyHeader(wrong), 'malformed', wrong.toString('hex'))
  }
})
