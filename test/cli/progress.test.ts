import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgress } from '../../src/cli/progress.ts'

test('a terminal shows progress in one line, which is gone at the end', () => {
  const written: string[] = []
  const output = { isTTY: true, write: (text: string) => written.push(text) }
  const progress = createProgress(output, 200, 'rows')
  progress.reached(50)
  progress.reached(51)
  progress.end()
  assert.deepEqual(written, ['\r\u001B[K25 %: 50 of 200 rows', '\r\u001B[K'])
})

test('files and pipes get no progress', () => {
  const output = { write: () => assert.fail('something was written') }
  const progress = createProgress(output, 0, 'rows')
  progress.reached(1)
  progress.end()
})
