/** How a key's state follows from its materials. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  expirationOf,
  lacksMaterial,
  type MaterialStateRecord,
} from '../../src/model/key-material.ts'
import type { ExpirationModel } from '../../src/model/expiration.ts'

const imported = { state: 'NON_CURRENT', importState: 'IMPORTED' } as const
const current = { state: 'CURRENT', importState: 'IMPORTED' } as const
const pending = { state: 'PENDING_ROTATION', importState: 'IMPORTED' } as const

for (const [what, materials, model, at] of [
  ['no material', [], undefined, undefined],
  ['material of our own', [{ state: 'CURRENT' }], undefined, undefined],
  ['material without a date', [imported, current], 'KEY_MATERIAL_DOES_NOT_EXPIRE', undefined],
  ['one date', [{ ...imported, validTo: 5 }, current], 'KEY_MATERIAL_EXPIRES', 5],
  [
    'two dates',
    [
      { ...imported, validTo: 5 },
      { ...current, validTo: 4 },
    ],
    'KEY_MATERIAL_EXPIRES',
    4,
  ],
  [
    'a date of what waits',
    [current, { ...pending, validTo: 3 }],
    'KEY_MATERIAL_DOES_NOT_EXPIRE',
    undefined,
  ],
  ['only what waits', [{ ...pending, validTo: 3 }], undefined, undefined],
  [
    'one that is missing',
    [
      { state: 'NON_CURRENT', importState: 'PENDING_IMPORT' },
      { ...current, validTo: 4 },
    ],
    undefined,
    undefined,
  ],
] as const satisfies readonly (readonly [
  string,
  readonly Partial<MaterialStateRecord>[],
  ExpirationModel | undefined,
  number | undefined,
])[]) {
  test(`a key with ${what} ${model === undefined ? 'has no expiration' : `is ${model}`}`, () => {
    assert.deepEqual(expirationOf(materials), {
      materialExpirationModel: model,
      materialExpiresAt: at,
    })
  })
}

test('a key lacks material when one that it needs is not imported', () => {
  assert.equal(lacksMaterial([]), false)
  assert.equal(lacksMaterial([{ state: 'CURRENT' }]), false)
  assert.equal(lacksMaterial([imported, current]), false)
  assert.equal(lacksMaterial([current, { ...pending, importState: 'PENDING_IMPORT' }]), false)
  assert.equal(lacksMaterial([{ ...imported, importState: 'PENDING_IMPORT' }, current]), true)
})
