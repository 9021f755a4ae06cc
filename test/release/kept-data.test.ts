/** A release empties its folder, and leaves a folder alone in which a server has run. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../store/engines.ts'

test('a release does not delete the data of a server that ran in its folder', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'seal.key'), 'a key')
  writeFileSync(join(folder, 'SHA256SUMS'), 'of the last release')
  const script = join(import.meta.dirname, '../../scripts/release.mjs')
  const command = [script, '--package-only', '--without-console', folder]
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^release: \S+\/data is there, perhaps with the keys of a server\./)
  assert.deepEqual(readdirSync(folder).toSorted(), ['SHA256SUMS', 'data'])
  assert.deepEqual(readdirSync(join(folder, 'data')), ['seal.key'])
})
