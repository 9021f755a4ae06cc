import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compileGlob, piecesOf } from '../../src/policy/glob.ts'
import { newWork } from '../../src/policy/work.ts'
import { printedSeed } from './seed.ts'

const matches = (pattern: string, value: string): boolean =>
  compileGlob(piecesOf(pattern))(value, newWork(1e12))

/** Obviously right, and quadratic: whether each prefix of the pattern matches each prefix. */
function slowMatches(pattern: string, value: string): boolean {
  let row = Array.from({ length: value.length + 1 }, (_, length) => length === 0)
  for (const symbol of pattern) {
    const next: boolean[] = []
    for (let length = 0; length <= value.length; length += 1) {
      const here = row[length] === true
      const longer = length > 0 && (symbol === '*' ? next[length - 1] : row[length - 1]) === true
      if (symbol === '*') next.push(here || longer)
      else next.push(longer && (symbol === '?' || symbol === value[length - 1]))
    }
    row = next
  }
  return row[value.length] === true
}

const table: readonly (readonly [string, string, boolean])[] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['**', '', true],
  ['?', '', false],
  ['?', 'a', true],
  ['?', 'ab', false],
  ['*?', '', false],
  ['?*', 'ab', true],
  ['kms:*', 'kms:Encrypt', true],
  ['kms:*', 'kms', false],
  ['kms:ReEncrypt*', 'kms:ReEncryptFrom', true],
  ['kms:ReEncrypt', 'kms:ReEncryptFrom', false],
  ['kms:*Key*', 'kms:GenerateDataKeyPair', true],
  ['*a*b*c*', 'xxaxxbxxcxx', true],
  ['*a*b*c*', 'xxaxxcxxbxx', false],
  ['ab*ba', 'aba', false],
  ['ab*ba', 'abba', true],
  ['*ab*ab', 'ab', false],
  ['a.c', 'abc', false],
  ['a[b]', 'a[b]', true],
]

for (const [pattern, value, expected] of table) {
  test(`the pattern \`${pattern}\` ${expected ? 'matches' : 'does not match'} \`${value}\``, () => {
    assert.equal(matches(pattern, value), expected)
    assert.equal(slowMatches(pattern, value), expected)
  })
}

test('patterns agree with a slow matcher', () => {
  const text = (symbols: string, lengthMax: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...symbols.split('')), maxLength: lengthMax })
  const property = fc.property(text('ab*?', 14), text('ab', 20), (pattern, value) => {
    assert.equal(matches(pattern, value), slowMatches(pattern, value))
  })
  fc.assert(property, { seed: printedSeed('glob'), numRuns: 20_000 })
})

test('long chunks, over one word of bits, agree with a slow matcher', () => {
  const chunk = fc.string({
    unit: fc.constantFrom('a', 'a', 'a', 'b', '?'),
    minLength: 25,
    maxLength: 80,
  })
  const value = fc.string({ unit: fc.constantFrom('a', 'a', 'a', 'b'), maxLength: 200 })
  const property = fc.property(chunk, chunk, value, fc.nat(100), (one, two, noise, cut) => {
    const pattern = `*${one}*${two}*`
    const fitting = `${noise}${one.replaceAll('?', 'b')}${noise.slice(cut)}${two.replaceAll('?', 'a')}`
    assert.equal(matches(pattern, fitting), true)
    assert.equal(matches(pattern, noise), slowMatches(pattern, noise))
    const broken = fitting.slice(0, cut) + fitting.slice(cut + 1)
    assert.equal(matches(pattern, broken), slowMatches(pattern, broken))
  })
  fc.assert(property, { seed: printedSeed('long chunks'), numRuns: 1_000 })
})

test('a pattern of thousands of stars over a long value is decided', () => {
  const stars = '*a'.repeat(8_000)
  assert.equal(matches(`${stars}*b`, 'a'.repeat(16_000)), false)
  assert.equal(matches(`${stars}*`, 'a'.repeat(16_000)), true)
  const holes = `*${'a?'.repeat(4_000)}b*`
  assert.equal(matches(holes, 'a'.repeat(16_000)), false)
  assert.equal(matches(holes, `${'a'.repeat(15_999)}b`), true)
})
