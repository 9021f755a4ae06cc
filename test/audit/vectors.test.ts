/** The vectors of docs/audit-journal.md: written once, never deleted. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeClose, encodeOpening, encodeRecord } from '../../src/audit/journal/frame.ts'
import { verifyJournal } from '../../src/audit/verify/verify.ts'
import { directory, eventId, recordOf } from './journal-fixture.ts'
import { createMemoryFiles } from './memory-files.ts'

interface Vector {
  readonly files: readonly { readonly file: string; readonly base64: string }[]
  readonly report: unknown
}

const vectors = join(import.meta.dirname, '../vectors/journal')

function read(name: string): Vector {
  return JSON.parse(readFileSync(join(vectors, name), 'utf8')) as Vector // our own file
}

for (const name of readdirSync(vectors)) {
  test(`the verifier's report of the vector ${name} equals the one in it`, async () => {
    const { files: stored, report } = read(name)
    const files = createMemoryFiles()
    await files.makeDirectory(directory)
    for (const { file, base64 } of stored) {
      await files.makeDirectory(join(directory, 'worker-0'))
      files.writeFile(join(directory, file), Buffer.from(base64, 'base64'))
    }
    assert.deepEqual(await verifyJournal(directory, { files }), report)
  })
}

test('the vectors of version 1 exist', () => {
  assert.deepEqual(readdirSync(vectors).sort(), ['changed.json', 'missing.json', 'whole.json'])
})

test('the last segment of whole.json is what the encoder writes, byte by byte', () => {
  const { files } = read('whole.json')
  const [one, two, three] = files.map(({ base64 }) => Buffer.from(base64, 'base64'))
  assert.ok(one && two && three)
  const created = 1_800_000_000_000
  const predecessor = {
    segment: 2,
    offset: two.length,
    hash: two.subarray(-32).toString('hex'),
    end: 'crashed',
  } as const
  const opening = encodeOpening(
    { version: 1, stream: 'worker-0', number: 3, created, allocated: 2048 },
    predecessor,
  )
  const bytes = Buffer.alloc(three.length)
  opening.copy(bytes)
  let at = opening.length
  const link = () => ({ time: created, synced: at, previous: bytes.subarray(at - 32, at) })
  for (const n of [5, 6]) at += encodeRecord(bytes, at, link(), eventId(n), recordOf(eventId(n)))
  at += encodeClose(bytes, at, link())
  assert.equal(at, three.length)
  assert.deepEqual(bytes, three)
})
