/** How a start ends streams without writers. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FilePort } from '../../../src/disk/files.ts'
import { JournalFailed } from '../../../src/audit/journal/journal.ts'
import { endLeftStreams } from '../../../src/audit/journal/left-streams.ts'
import { proveJournal } from '../../../src/audit/verify/prove-journal.ts'
import { createListing } from '../../../src/audit/journal/writers-list.ts'
import { testKeyring } from '../../crypto/fixed.ts'
import { openAnchored, writerStore } from '../anchored.ts'
import { append, directory, open } from '../journal-fixture.ts'
import { createMemoryFiles, failure } from '../memory-files.ts'

const keyring = testKeyring()

/** Two streams: after both died, the first is open again, and the second has no writer. */
async function died() {
  const files = createMemoryFiles()
  const store = writerStore()
  const of = { files, directory, store, keyring }
  const first = await openAnchored(of)
  const second = await openAnchored({ ...of, stream: 'worker-1' })
  await append(first.journal, 1)
  await append(second.journal, 2)
  await second.anchors.checkpoint()
  await append(second.journal, 3)
  files.kill()
  const own = await openAnchored({ ...of, files: files.boot() })
  return { files, store, own }
}

type Died = Awaited<ReturnType<typeof died>>

function end(
  { files, store }: Died,
  own: readonly [string, ...string[]] = ['worker-0'],
  port: FilePort = files,
) {
  const errors: string[] = []
  const onError = (error: Error): void => void errors.push(error.message)
  const clock = { system: () => 1_800_000_000_000 }
  const list = createListing({ files: port, directory, store, keyring })
  const ports = { files: port, directory, store, keyring, clock, list, own, onError }
  return { errors, ended: endLeftStreams({ ...ports, onFatal: onError }) }
}

test('a stream without a writer is repaired, anchored and closed, once', async () => {
  const left = await died()
  const { errors, ended } = end(left)
  await ended
  const streamFiles = (): readonly string[] =>
    left.files.paths().filter((path) => path.includes('worker-1'))
  const before = streamFiles()
  await end(left).ended
  assert.deepEqual(streamFiles(), before)
  await left.own.stop()
  const report = await proveJournal(directory, { files: left.files, known: left.store.known() })
  const { whole, proved, unanchored } = report
  assert.deepEqual({ whole, proved, unanchored }, { whole: true, proved: 3, unanchored: 0 })
  assert.deepEqual(errors, [])
})

test('a stream without records and checkpoints is listed', async () => {
  const left = await died()
  await open(left.files, { stream: 'worker-2' })
  left.files.kill()
  const own = await openAnchored({
    files: left.files.boot(),
    directory,
    store: left.store,
    keyring,
  })
  await end(left).ended
  await own.stop()
  const { breaks } = await proveJournal(directory, { files: left.files })
  assert.deepEqual(breaks, [])
  assert.deepEqual([...left.store.rows.keys()].toSorted(), ['worker-0', 'worker-1', 'worker-2'])
})

test('a foreign stream is not signed, and a process refuses to use it as its own', async () => {
  const left = await died()
  const foreign = await open(left.files, { stream: 'worker-2' })
  await append(foreign.journal, 9)
  const { errors, ended } = end(left)
  await ended
  assert.deepEqual(errors, [
    "the journal's stream worker-2 holds records, and is on no list of writers",
  ])
  assert.equal(left.store.rows.has('worker-2'), false)
  await assert.rejects(end(left, ['worker-0', 'worker-2']).ended, JournalFailed)
  await left.own.stop()
  const { breaks } = await proveJournal(directory, { files: left.files })
  assert.deepEqual(breaks, [
    { file: 'worker-2', offset: 0, why: 'the list of writers does not name the stream' },
  ])
})

test('a stream that cannot be ended keeps the server from starting', async () => {
  const left = await died()
  left.files.plan = (operation, path) =>
    operation === 'sync' && path.includes('worker-1') ? failure('EIO') : 'done'
  await assert.rejects(end(left).ended)
})
