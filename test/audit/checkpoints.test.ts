/**
 * Checkpoints: what they prove, and what an attacker who can write the files but has no key cannot do.
 * @module
 */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  checkpointText,
  readCheckpoint,
  type Checkpoint,
} from '../../src/audit/journal/checkpoint.ts'
import { decodeFrame, headerBytes, type Frame } from '../../src/audit/journal/frame.ts'
import { proveJournal, type ProofReport } from '../../src/audit/verify/prove-journal.ts'
import { fingerprintOf } from '../../src/crypto/statements.ts'
import { testKeyring } from '../crypto/fixed.ts'
import { openAnchored, writerStore, type WriterStore } from './anchored.ts'
import { append, directory, segmentPath, stream } from './journal-fixture.ts'
import { createMemoryFiles, type MemoryFiles } from './memory-files.ts'

interface Written {
  readonly files: MemoryFiles
  readonly store: WriterStore
  readonly keyring: ReturnType<typeof testKeyring>
}

/** Records 1 to 30 in several segments, a checkpoint after every tenth, and a clean stop. */
async function written(keyring = testKeyring()): Promise<Written> {
  const files = createMemoryFiles()
  const store = writerStore()
  const { journal, anchors, errors, stop } = await openAnchored({
    files,
    directory,
    store,
    keyring,
  })
  for (let n = 1; n <= 30; n += 1) {
    await append(journal, n, 'x'.repeat(1000))
    if (n % 10 === 0) await anchors.checkpoint()
  }
  await stop()
  assert.deepEqual(errors, [])
  return { files, store, keyring }
}

const prove = ({ files, store }: Written, pinned: readonly string[] = []): Promise<ProofReport> =>
  proveJournal(directory, { files, known: store.known(), pinned })

const whys = ({ breaks }: ProofReport): readonly string[] => breaks.map(({ why }) => why)

type Snapshot = ReadonlyMap<string, Buffer>

/** A copy of the whole journal, for an attacker to restore. */
function snapshot(files: MemoryFiles): Snapshot {
  return new Map(files.paths().map((path) => [path, Buffer.from(files.readFile(path))]))
}

async function restore(files: MemoryFiles, to: Snapshot): Promise<void> {
  for (const path of files.paths()) await files.remove(path)
  for (const [path, bytes] of to) files.writeFile(path, Buffer.from(bytes))
}

/** The segment with every hash recomputed; a frame for which `change` returns null is omitted. */
function rechained(bytes: Buffer, change: (frame: Frame) => Buffer | null): Buffer {
  const parts = [Buffer.from(bytes.subarray(0, headerBytes))]
  let previous = Buffer.from(bytes.subarray(104, headerBytes))
  let to = headerBytes
  for (let at = headerBytes; at < bytes.length;) {
    const frame = decodeFrame(bytes, at)
    assert.ok(frame)
    const payload = change(frame)
    if (payload !== null) {
      const head = Buffer.from(bytes.subarray(at, at + 53))
      head.writeUInt32BE(payload.length, 0)
      head.writeBigUInt64BE(BigInt(frame.kind === 'open' ? 0 : to), 13)
      previous.copy(head, 21)
      const body = Buffer.concat([head, payload])
      previous = hash('sha256', body, 'buffer')
      parts.push(body, previous)
      to += body.length + 32
    }
    at += frame.size
  }
  return Buffer.concat(parts)
}

test('a journal is proved from its genesis to its last checkpoint', async () => {
  const made = await written()
  const report = await prove(made)
  assert.deepEqual(report.breaks, [])
  assert.equal(report.whole, true)
  assert.equal(report.proved, 30)
  assert.equal(report.unanchored, 0)
  assert.ok(report.segments > 2)
})

test('records behind the last checkpoint are unanchored, and not proved', async () => {
  const made = await written()
  let now = 1_800_000_000_000
  const options = { clock: { system: () => now } }
  const { journal } = await openAnchored({ ...made, directory, options })
  assert.deepEqual([journal.lag.unanchored, journal.lag.unanchoredMs], [0, 0])
  await append(journal, 31)
  now += 5000
  await append(journal, 32)
  assert.deepEqual([journal.lag.unanchored, journal.lag.unanchoredMs], [2, 5000])
  const report = await prove(made)
  assert.deepEqual([report.whole, report.proved, report.unanchored], [true, 30, 2])
  await journal.checkpoint()
  assert.deepEqual([journal.lag.unanchored, journal.lag.unanchoredMs], [0, 0])
  const later = await prove(made)
  assert.deepEqual([later.whole, later.proved, later.unanchored], [true, 32, 0])
  await journal.close()
})

test('a checkpoint is made only where there are records behind the last', async () => {
  const made = await written()
  const { journal, anchors } = await openAnchored({ ...made, directory })
  const sequence = () => readCheckpoint(anchors.last.text)?.sequence ?? 0
  const first = sequence()
  await anchors.checkpoint()
  assert.equal(sequence(), first)
  await append(journal, 31)
  await anchors.checkpoint()
  assert.equal(sequence(), first + 1)
  await journal.close()
})

test('a removed stream is reported as missing', async () => {
  const made = await written()
  const inStream = made.files.paths().filter((path) => path.startsWith(join(directory, stream)))
  for (const path of inStream) await made.files.remove(path)
  const report = await prove(made)
  assert.equal(report.whole, false)
  assert.ok(whys(report).includes('the stream is missing'))
})

test('a stream that is not on the list is not trusted', async () => {
  const made = await written()
  made.files.writeFile(
    segmentPath(1).replace(stream, 'worker-9'),
    made.files.readFile(segmentPath(1)),
  )
  assert.ok(whys(await prove(made)).includes('the list of writers does not name the stream'))
})

test('a list of writers that was removed or changed is not trusted', async () => {
  const made = await written()
  const path = join(directory, 'writers.json')
  const text = made.files.readFile(path).toString()
  made.files.writeFile(path, Buffer.from(text.replace('worker-0', 'worker-1')))
  assert.ok(whys(await prove(made)).includes('the signature of the list of writers is not valid'))
  await made.files.remove(path)
  const report = await prove(made)
  assert.equal(report.whole, false)
  assert.ok(whys(report).includes('there is no signed list of writers'))
})

test('a journal cut behind an earlier checkpoint lacks the checkpoint in the store', async () => {
  const made = await written()
  const before = snapshot(made.files)
  const { journal, anchors, stop } = await openAnchored({ ...made, directory })
  await append(journal, 31)
  await anchors.checkpoint()
  await stop()
  await restore(made.files, before)
  const report = await prove(made)
  assert.equal(report.whole, false)
  assert.match(whys(report).join(), /^the stream lacks checkpoint \d+, of 31 records$/)
})

test('a start finds a cut, and the verifier reports it from then on', async () => {
  const made = await written()
  const before = snapshot(made.files)
  const opened = await openAnchored({ ...made, directory })
  await append(opened.journal, 31)
  await opened.stop()
  await restore(made.files, before)
  const again = await openAnchored({ ...made, directory })
  assert.match(again.errors[0]?.message ?? '', /^the journal was cut: stream worker-0 lacks/)
  await append(again.journal, 32)
  await again.stop()
  const report = await proveJournal(directory, { files: made.files })
  assert.equal(report.whole, false)
  const third = await openAnchored({ ...made, directory })
  await third.stop()
  assert.equal((await prove(made)).whole, false)
})

test('a chain that was recomputed without a key is found', async () => {
  const made = await written()
  const path = segmentPath(1)
  const bytes = made.files.readFile(path)
  const changed = rechained(bytes, ({ payload }) =>
    Buffer.from(payload.toString('latin1').replace('Encrypt', 'Decrypt'), 'latin1'),
  )
  assert.equal(changed.length, bytes.length)
  made.files.writeFile(path, changed)
  const forged = await proveJournal(directory, { files: made.files })
  assert.equal(forged.whole, false)
  assert.ok(whys(forged).includes('the checkpoint belongs to another position'))
})

test('a whole journal under foreign keys fails with a pinned key', async () => {
  const made = await written()
  const theirs = await written()
  const pin = made.keyring.statementKeys.map(({ publicKey }) => fingerprintOf(publicKey))
  assert.equal((await prove(made, pin)).whole, true)
  const report = await proveJournal(directory, { files: theirs.files, pinned: pin })
  assert.equal(report.whole, false)
  assert.ok(whys(report).includes('the list of writers has none of the trusted keys'))
  const known = await proveJournal(directory, { files: theirs.files, known: made.store.known() })
  assert.equal(known.whole, false)
})

test('the list is trusted by any of the deployment’s keys', async () => {
  const made = await written(testKeyring([1, 2]))
  for (const { publicKey } of made.keyring.statementKeys) {
    assert.equal((await prove(made, [fingerprintOf(publicKey)])).whole, true)
  }
})

test('a last segment without its checkpoints and with a recomputed chain is found', async () => {
  const made = await written()
  const last = made.files.paths().findLast((path) => path.endsWith('.seg')) ?? ''
  const bytes = made.files.readFile(last)
  const bare = rechained(bytes, ({ kind, payload }) => (kind === 'checkpoint' ? null : payload))
  bare.writeBigUInt64BE(BigInt(bare.length), 32)
  made.files.writeFile(last, bare)
  const report = await proveJournal(directory, { files: made.files })
  assert.equal(report.whole, false)
})

test('a text that differs from what a writer writes is not a checkpoint', () => {
  const checkpoint: Checkpoint = {
    deployment: 'd',
    writer: 'worker-0',
    sequence: 1,
    segment: 1,
    offset: 238,
    records: 0,
    head: 'a'.repeat(64),
    previous: null,
    time: 5,
    key: 1,
  }
  const text = checkpointText(checkpoint)
  assert.deepEqual(readCheckpoint(text), checkpoint)
  for (const other of [`${text} `, text.replace('"records":0', '"records":"0"'), '[]', '{}', 'x']) {
    assert.equal(readCheckpoint(other), undefined)
  }
})

test('records of any size go on while checkpoints are made', async () => {
  const files = createMemoryFiles()
  const store = writerStore()
  const keyring = testKeyring()
  const { journal, stop, errors } = await openAnchored({ files, directory, store, keyring })
  const all: Promise<void>[] = []
  for (let n = 1; n <= 200; n += 1) {
    all.push(append(journal, n, 'x'.repeat((n * 37) % 4000)))
    if (n % 7 === 0) all.push(journal.checkpoint())
    if (n % 20 === 0) await all.at(-1)
  }
  await Promise.all(all)
  await stop()
  assert.deepEqual(errors, [])
  const report = await prove({ files, store, keyring })
  assert.deepEqual([report.breaks, report.proved, report.unanchored], [[], 200, 0])
})
