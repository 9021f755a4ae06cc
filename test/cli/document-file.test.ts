/** Files that are applied, as they are read: what is hostile is refused in one line with its place. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assert as assertAlways, jsonValue, property } from 'fast-check'
import { parseDocument, readDocumentFile } from '../../src/cli/document-file.ts'
import { ConfigError } from '../../src/config.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

/** The one line that `text` is refused with. */
function refusalOf(text: string): string {
  try {
    parseDocument(text, 'trent.yaml')
  } catch (error) {
    assert(error instanceof ConfigError)
    assert(!/[\n\r]/.test(error.message))
    return error.message
  }
  return assert.fail('it must be refused')
}

const hostile: readonly (readonly [what: string, text: string, refusal: string])[] = [
  ['an anchor', 'a: 1\nb: &x 1\n', '2:4: anchors are not supported'],
  ['an alias', 'a: *x\n', '1:4: aliases are not supported'],
  [
    'a billion laughs',
    'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n',
    '1:4: anchors are not supported',
  ],
  ['a tag of the core schema', 'a: !!str 1\n', '1:4: tags are not supported'],
  ['a tag of JavaScript', 'a: !<tag:yaml.org,2002:js/function> x\n', '1:4: tags are not supported'],
  ['a directive', '%YAML 1.1\n---\na: 1\n', '1:1: directives are not supported'],
  ['a name that is there twice', 'a:\n  b: 1\n  c: 2\n  b: 3\n', '4:3: `b` is there twice'],
  ['the same in JSON', '{"a": 1,\n "a": 2}', '2:2: `a` is there twice'],
  ['a name that is a number', 'a: 1\n2: 3\n', '2:1: a name must be a text: quote it'],
  ['a name that is a list', '? [a]\n: 1\n', '1:3: a name must be a text: quote it'],
  ['a merge', 'a: {b: 1}\n<<: *a\n', '2:5: aliases are not supported'],
  ['two documents', 'a: 1\n---\nb: 2\n', '2:1: the file holds more than one document'],
  ['nothing', '', '1:1: the file is empty'],
  ['a control character', 'a: "\u0007"\n', '1:5: a control character'],
  ['a zero byte', 'a: 1\n\0', '2:1: a control character'],
  ['a lone surrogate', 'a: "\\ud83d"\n', '1:4: a lone surrogate'],
  ['no number', 'a: .nan\n', '1:4: not a finite number'],
  ['an infinite number', 'a: -.inf\n', '1:4: not a finite number'],
  ['brackets in brackets', '['.repeat(500_000), '1:33: it is nested too deeply'],
  ['lists in lists', '- '.repeat(400_000), '1:203: it is nested too deeply'],
  ['names in names', '? '.repeat(400_000), '1:203: it is nested too deeply'],
  [
    'indentation',
    Array.from({ length: 1300 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
    '202:1: it is nested too deeply',
  ],
  ['commas', `[${','.repeat(499_000)}`, '1:400001: the file holds too many tokens'],
]

for (const [what, text, refusal] of hostile) {
  test(`a file is refused for ${what}, with its place`, () => {
    assert.equal(refusalOf(text), `trent.yaml:${refusal}`)
  })
}

test('what cannot be read is refused with its place, and none of it is quoted', () => {
  for (const text of [
    'a: [1\nb: secret',
    'a: 1\n\tb: secret\n',
    'a: "secret',
    "a: 'secret'secret",
    'a: b: secret',
    '{"a": "secret" secret}',
    'a: @secret',
    'a: `secret`',
    'a: "\\xsecret"',
  ]) {
    const refusal = refusalOf(text)
    assert.match(refusal, /^trent\.yaml:\d+:\d+: \S/)
    assert.doesNotMatch(refusal, /secret/)
  }
})

test('YAML and JSON are read to the same values; quoted anchors and block texts are texts', () => {
  const yaml = [
    '# a comment',
    'names: ["&a", "*b", c*d, "!e"]',
    'text: |',
    '  &no anchor',
    '  *no alias',
    'numbers: [1, 0x10, -2.5, 1e3]',
    'others: [true, false, null, ~, yes, "true"]',
    '__proto__: {polluted: true}',
    '',
  ].join('\n')
  const expected = {
    names: ['&a', '*b', 'c*d', '!e'],
    text: '&no anchor\n*no alias\n',
    numbers: [1, 16, -2.5, 1000],
    others: [true, false, null, null, 'yes', 'true'],
    ['__proto__']: { polluted: true },
  }
  assert.deepEqual(plain(parseDocument(yaml, 'a').value), expected)
  const json = JSON.stringify(expected, null, '\t')
  assert.deepEqual(plain(parseDocument(json, 'a').value), expected)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('whatever JSON says is read as it is', () => {
  assertAlways(
    property(jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value)
      if (/[\u007f]|\\u[0-9a-f]{4}/.test(text)) return // control characters are refused
      if (!text.isWellFormed() || text === '{}') return
      assert.deepEqual(plain(parseDocument(text, 'a').value), JSON.parse(text))
    }),
  )
})

test('a fault is where its value is, or what is nearest around it', () => {
  const { faultAt } = parseDocument('accounts:\n  - id: 1\n    "a/b c": [x,\n      y]\n', 'f.yaml')
  const at = (pointer: string): string => faultAt(pointer, 'wrong').message
  assert.equal(at('#/accounts/0/id'), 'f.yaml:2:5: wrong')
  assert.equal(at('#/accounts/0'), 'f.yaml:2:5: wrong')
  assert.equal(at('#/accounts/0/a%2Fb%20c/1'), 'f.yaml:4:7: wrong')
  assert.equal(at('#/accounts/0/missing/deep'), 'f.yaml:2:5: wrong')
  assert.equal(at('#'), 'f.yaml:1:1: wrong')
  assert.equal(at('#/nowhere'), 'f.yaml:1:1: wrong')
})

test('numbers are texts where that is asked for', () => {
  const { value } = parseDocument('a: 12345678e9\nb: null\n', 'f.yaml', 'failsafe')
  assert.deepEqual(plain(value), { a: '12345678e9', b: 'null' })
})

test('a file is bounded, is UTF-8 and is there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trent-file-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'a.yaml')
  writeFileSync(path, 'a: 1\n')
  assert.deepEqual(plain(readDocumentFile(path).value), { a: 1 })
  writeFileSync(path, `a: "${'x'.repeat(1_000_000)}"`)
  assert.throws(() => readDocumentFile(path), { message: /a\.yaml:1:1: the file has more than/ })
  writeFileSync(path, Buffer.from('a: \xff', 'latin1'))
  assert.throws(() => readDocumentFile(path), { message: `${path}:1:1: the file is not UTF-8` })
  assert.throws(() => readDocumentFile(join(folder, 'b')), { message: /cannot be read: ENOENT/ })
  assert.throws(() => readDocumentFile(folder), { message: /cannot be read: EISDIR/ })
  assert.throws(() => readDocumentFile('/dev/zero'), { message: /more than 1000000 bytes/ })
})
