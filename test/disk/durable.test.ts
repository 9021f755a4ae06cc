/** Files that are whole and durable, or not there: over a file system that fails and loses power. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replaceFile, writeNewFile } from '../../src/disk/durable.ts'
import { createMemoryFiles, failure, type FileOperation } from '../audit/memory-files.ts'

const path = '/data/list.json'
const [old, wanted] = [Buffer.alloc(300, 'o'), Buffer.alloc(500, 'w')]

test('a replaced file survives a power cut, and nothing else of it is left', async () => {
  const files = createMemoryFiles()
  await replaceFile(files, path, old)
  await replaceFile(files, path, wanted)
  files.cutPower(() => false)
  assert.deepEqual(files.readFile(path), wanted)
  assert.deepEqual(files.paths(), [path])
})

const operations: readonly FileOperation[] = ['create', 'write', 'sync', 'rename', 'syncDirectory']
for (const operation of operations) {
  test(`when ${operation} fails, the file is the old one or the new one, whole`, async () => {
    for (const survives of [true, false]) {
      const files = createMemoryFiles()
      await replaceFile(files, path, old)
      files.plan = (met) => (met === operation ? failure('EIO') : 'done')
      await assert.rejects(replaceFile(files, path, wanted), /EIO/)
      files.cutPower(() => survives)
      const left = files.readFile(path)
      assert.ok(left.equals(old) || left.equals(wanted))
      files.plan = () => 'done'
      await replaceFile(files.boot(), path, wanted)
      assert.deepEqual(files.readFile(path), wanted)
    }
  })
}

test('a write that takes only a part goes on with the rest', async () => {
  const files = createMemoryFiles()
  files.plan = (met) => (met === 'write' ? { short: 7 } : 'done')
  await writeNewFile(files, path, wanted)
  await files.syncDirectory('/data')
  files.cutPower(() => false)
  assert.deepEqual(files.readFile(path), wanted)
})

test('a file that exists is not written again', async () => {
  const files = createMemoryFiles()
  await writeNewFile(files, path, old)
  await assert.rejects(writeNewFile(files, path, wanted))
  assert.deepEqual(files.readFile(path), old)
})
