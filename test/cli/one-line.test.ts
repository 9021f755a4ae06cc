/** Errors of a start are one line, and cannot change the terminal. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneLine } from '../../src/cli/one-line.ts'
import { ConfigError } from '../../src/config.ts'
import { DatabaseFailed } from '../../src/store/database.ts'
import { DatabaseUnreachable } from '../../src/store/postgres/postgres-failure.ts'

const hostile = 'gone\u001b[2J\u202e\ntrent: all is well'
const shown = 'gone\\u001b[2J\\u202e\\u000atrent: all is well'

test('words of others are shown, and not obeyed', () => {
  // It has put spaces there itself, apart from marks of direction.
  assert.equal(oneLine(new ConfigError(hostile)), 'gone [2J\\u202e trent: all is well')
  assert.equal(oneLine(new DatabaseUnreachable(hostile)), shown)
  assert.equal(oneLine(new DatabaseFailed(hostile)), `the database cannot be used: ${shown}`)
  assert.equal(oneLine(hostile), shown)
  const ofSystem = Object.assign(new Error(hostile), { code: 'ENOENT', syscall: 'open' })
  assert.equal(oneLine(ofSystem), shown)
})

test('an error that nobody expects keeps the lines of its stack', () => {
  const [first, ...frames] = oneLine(new Error('odd \u001b[2J')).split('\n')
  assert.equal(first, 'Error: odd \\u001b[2J')
  assert.match(frames.join('\n'), /^ {4}at \S/)
})
