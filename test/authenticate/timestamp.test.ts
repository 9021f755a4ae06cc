import assert from 'node:assert/strict'
import test from 'node:test'
import { formatBasic, parseTimestamp } from '../../src/authenticate/timestamp.ts'

test('both forms of a date read to the second', () => {
  const expected = { basic: '20150830T123600Z', seconds: 1_440_938_160 }
  assert.deepEqual(parseTimestamp('20150830T123600Z'), expected)
  assert.deepEqual(parseTimestamp('Sun, 30 Aug 2015 12:36:00 GMT'), expected)
  assert.equal(formatBasic(expected.seconds), expected.basic)
})

test('what is no date is none', () => {
  for (const text of [
    '',
    '20150830',
    '20150830T123600',
    '20151330T123600Z',
    '20150229T000000Z',
    '00150830T123600Z',
    '20150830T246000Z',
    'Mon, 30 Aug 2015 12:36:00 GMT',
    'Sun, 30 Aug 2015 12:36:00 CET',
    'Sunday, 30-Aug-15 12:36:00 GMT',
    '2015-08-30T12:36:00.000+00:00',
  ]) {
    assert.equal(parseTimestamp(text), undefined, text)
  }
})
