/** Opens the database that it is told of and says how that went. @module */
import assert from 'node:assert/strict'
import { openDatabase } from '../../src/store/open.ts'

const [, , path] = process.argv
assert.ok(path !== undefined)
try {
  const database = await openDatabase({ path })
  await database.close()
  console.log('open')
} catch (error) {
  assert.ok(error instanceof Error)
  console.log(`${error.constructor.name}: ${error.message}`)
}
