/**
 * Changes the store endlessly, several changes at a time, and prints what was acknowledged.
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { openDatabase } from '../../src/store/open.ts'
import { storeOf } from './engines.ts'
import { newKey } from './records.ts'

const [, , path] = process.argv
assert.ok(path !== undefined)
const { store } = storeOf(await openDatabase({ path }))

async function writeOn(): Promise<never> {
  for (;;) {
    const id = randomUUID()
    await store.change(async (transaction) => {
      await transaction.insertKey(newKey(id, { description: 'x'.repeat(6000) }))
      await transaction.insertOutbox({ eventId: id, record: '{}', stream: 's', segment: 1 })
    })
    process.stdout.write(`${id}\n`)
  }
}
await Promise.all([writeOn(), writeOn(), writeOn()])
