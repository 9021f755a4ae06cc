/** Errors of several streams of one process. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createSegmentErrors,
  segmentErrorsMemory,
} from '../../../src/audit/journal/segment-errors.ts'
import { append, open } from '../journal-fixture.ts'
import { createMemoryFiles, failure } from '../memory-files.ts'

test('two errors within a minute are too many, in whatever streams they were', async () => {
  const memory = segmentErrorsMemory()
  const files = createMemoryFiles()
  const opened = await Promise.all(
    ['worker-0', 'worker-1'].map((stream) =>
      open(files, { stream, segmentErrors: createSegmentErrors(memory) }),
    ),
  )
  const [first, second] = opened
  assert.ok(first && second)
  files.plan = (operation) => (operation === 'datasync' ? failure('EIO') : 'done')
  await assert.rejects(append(first.journal, 1))
  assert.deepEqual([first.fatal.length, second.fatal.length], [0, 0])
  await assert.rejects(append(second.journal, 2))
  assert.deepEqual([first.fatal.length, second.fatal.length], [0, 1])
})
