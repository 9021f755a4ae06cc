import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRefusals } from '../../src/authenticate/refusals.ts'

test('refusals are counted one by one, and told at most every ten seconds', () => {
  const lines: unknown[] = []
  let now = 0
  const log = { warn: (line: unknown) => void lines.push(line) }
  const refusals = createRefusals(log, { system: () => now })
  for (let each = 0; each < 1000; each += 1) {
    refusals.note('InvalidSignatureException', '192.0.2.1')
    now += 5
  }
  refusals.note('UnrecognizedClientException', '192.0.2.2')
  assert.equal(refusals.count(), 1001)
  assert.equal(lines.length, 1)
  now = 20_000
  refusals.note('InvalidSignatureException', '192.0.2.3')
  assert.deepEqual(lines, [
    { refused: { InvalidSignatureException: 1 }, lastAddress: '192.0.2.1' },
    {
      refused: { InvalidSignatureException: 1000, UnrecognizedClientException: 1 },
      lastAddress: '192.0.2.3',
    },
  ])
})
