import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readableLine, type Paint } from '../../src/cli/readable-line.ts'

const plain: Paint = (_, text) => text
const marked: Paint = (style, text) => `<${style} ${text}>`
const time = new Date(2026, 10, 30, 14, 3, 22).getTime()
const line = (fields: object): string =>
  `${JSON.stringify({ level: 30, time, pid: 1, hostname: 'h', ...fields })}\n`

const request = {
  id: '5af78cdc-7ce2-4116-b154-c1a93b253f1e',
  principal: 'arn:aws:sts::111122223333:assumed-role/app/session',
  operation: 'Encrypt',
  key: 'arn:aws:kms:us-west-2:111122223333:alias/app',
  outcome: 'success',
  milliseconds: 3.2,
}

test('a request is time, principal, operation, key, outcome and latency', () => {
  assert.equal(
    readableLine(line({ request, msg: 'answered' }), plain),
    '14:03:22 111122223333:assumed-role/app/session  Encrypt  alias/app  ok  3.2 ms\n',
  )
  const { principal: _, key: __, ...nobody } = request
  assert.equal(
    readableLine(line({ request: { ...nobody, outcome: 'InvalidSignatureException' } }), plain),
    '14:03:22 -  Encrypt  InvalidSignatureException  3.2 ms\n',
  )
})

test('success, the mistakes of callers and our own failures have colours of their own', () => {
  const outcomeOf = (outcome: string): string =>
    readableLine(line({ request: { ...request, outcome } }), marked)
  assert.match(outcomeOf('success'), /<green ok>/)
  assert.match(outcomeOf('AccessDeniedException'), /<yellow AccessDeniedException>/)
  assert.match(outcomeOf('KMSInternalException'), /<red KMSInternalException>/)
})

test('other lines have their level, message and details, and an error its stack', () => {
  assert.equal(
    readableLine(line({ level: 40, msg: 'beware', count: 3, of: ['a'] }), plain),
    '14:03:22 warning beware count=3 of=["a"]\n',
  )
  const err = {
    type: 'Error',
    message: 'broken',
    stack: 'Error: broken\n    at here\n    at there',
  }
  assert.equal(
    readableLine(line({ level: 50, err, msg: 'request failed' }), plain),
    '14:03:22 error request failed: broken\n    at here\n    at there\n',
  )
})

test('nothing that a terminal obeys gets through, wherever it stands', () => {
  const hostile = '\u001B[2J\u001B]0;x\u0007\u009B31m\u202E\r\nforged 14:03:22 ok\u2028'
  const err = { message: hostile, stack: `Error: ${hostile}\n    at ${hostile}` }
  const lines = [
    line({
      request: {
        ...request,
        principal: hostile,
        operation: hostile,
        key: hostile,
        outcome: hostile,
      },
    }),
    line({
      request: {
        ...request,
        principal: `arn:aws:iam::1:user/${hostile}`,
        key: `arn:aws:kms:r:1:alias/${hostile}`,
      },
    }),
    line({ msg: hostile, [hostile]: hostile }),
    line({ level: 50, err, msg: hostile }),
    hostile,
  ]
  for (const each of lines) {
    const shown = readableLine(each, plain)
    assert.match(shown, /\\u001b\[2J/)
    assert.doesNotMatch(shown.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    // A line break of the caller's would forge a line. Only lines of a stack come after the first one.
    const [, ...more] = shown.trimEnd().split('\n')
    for (const frame of more) assert.match(frame, /^ {4}/)
  }
})
