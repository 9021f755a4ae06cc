import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from '../../src/model/nearest.ts'

const known = ['region', 'keySpec', 'keyUsage', 'origin', 'tags', 'TRENT_LISTEN']

test('a name with few mistakes is recognised', () => {
  const cases = [
    ['regoin', 'region'],
    ['Region', 'region'],
    ['keyspecs', 'keySpec'],
    ['KeyUse', 'keyUsage'],
    ['TRENT_LISTN', 'TRENT_LISTEN'],
    ['tag', 'tags'],
  ] as const
  for (const [name, meant] of cases) assert.equal(nearest(name, known), meant, name)
})

test('a name that is unlike all others is not', () => {
  for (const name of ['', 'x', 'description', 'a'.repeat(10_000)]) {
    assert.equal(nearest(name, known), undefined)
  }
})
