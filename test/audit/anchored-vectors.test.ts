/** The vectors of version 2 of docs/audit-journal.md: written once, never deleted. @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { proveJournal } from '../../src/audit/verify/prove-journal.ts'
import { directory } from './journal-fixture.ts'
import { createMemoryFiles } from './memory-files.ts'

interface Vector {
  readonly files: readonly { readonly file: string; readonly base64: string }[]
  readonly known: readonly {
    readonly text: string
    readonly signature: string
    readonly from: string
  }[]
  readonly report: unknown
}

const vectors = join(import.meta.dirname, '../vectors/anchored-journal')

for (const name of readdirSync(vectors)) {
  test(`the verifier's proof of the vector ${name} equals the report in it`, async () => {
    const vector = JSON.parse(readFileSync(join(vectors, name), 'utf8')) as Vector // our own file
    const files = createMemoryFiles()
    await files.makeDirectory(join(directory, 'worker-0'))
    for (const { file, base64 } of vector.files) {
      files.writeFile(join(directory, file), Buffer.from(base64, 'base64'))
    }
    const known = vector.known.map(({ text, signature, from }) => ({
      text,
      signature: Buffer.from(signature, 'base64'),
      from,
    }))
    const report = await proveJournal(directory, { files, known })
    assert.deepEqual(JSON.parse(JSON.stringify(report)), vector.report)
  })
}

test('the vectors of version 2 exist', () => {
  assert.deepEqual(readdirSync(vectors).sort(), ['anchored.json', 'cut.json'])
})
