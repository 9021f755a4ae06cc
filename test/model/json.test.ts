import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  MalformedJson,
  parseJson as parse,
  parseJsonObject,
  type JsonFault,
} from '../../src/model/json.ts'

const [depthMax, containersMax, valuesMax] = [32, 16_384, 32_768]
const limits = { depthMax, containersMax, valuesMax }
const parseJson = (bytes: Buffer): unknown => parse(bytes, limits)

const seed = Date.now() & 0x7fffffff
console.log(`fast-check seed ${seed}`)

function refuses(text: string | Buffer, fault: JsonFault): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  assert.throws(
    () => parseJson(bytes),
    (error) => error instanceof MalformedJson && error.fault === fault,
    `${text.toString().slice(0, 60)} should be refused: ${fault}`,
  )
}

/** What JSON.parse makes, with the prototypes that ours leaves out. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const descriptor = { enumerable: true, configurable: true, writable: true }
    Object.defineProperty(copy, name, { ...descriptor, value: plain(member) })
  }
  return copy
}

test('what JSON.stringify writes is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      assert.deepEqual(plain(parseJson(Buffer.from(text))), plain(JSON.parse(text)))
    }),
    { seed, numRuns: 500 },
  )
})

test('strings of every kind of character survive, escaped or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const plainText = JSON.stringify(value)
      const escaped = `"${[...Array(value.length).keys()]
        .map((at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`)
        .join('')}"`
      assert.equal(parseJson(Buffer.from(plainText)), value)
      assert.equal(parseJson(Buffer.from(escaped)), value)
    }),
    { seed },
  )
})

test('nothing that JSON.parse refuses is taken', () => {
  const signs = '{}[],:"\\au01-.e+ \n\t\u0001é\ufeff\u00a0'.split('')
  const piece = fc.constantFrom(...signs, 'true', 'null', '"a"', '\\u00e9')
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
  const parsed = (read: () => unknown): { value: unknown } | undefined => {
    try {
      return { value: read() }
    } catch {
      return undefined
    }
  }
  fc.assert(
    fc.property(text, (json) => {
      const theirs = parsed(() => JSON.parse(json) as unknown)
      const ours = parsed(() => parseJson(Buffer.from(json)))
      if (theirs === undefined) assert.equal(ours, undefined)
      // Ours refuses more than JSON.parse: duplicates, and numbers beyond what a double holds.
      else if (ours !== undefined) assert.deepEqual(plain(ours.value), plain(theirs.value))
    }),
    { seed, numRuns: 20_000 },
  )
})

test('arbitrary bytes are parsed or refused as MalformedJson, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parseJson(Buffer.from(bytes))
      } catch (error) {
        assert.ok(error instanceof MalformedJson)
      }
    }),
    { seed, numRuns: 2_000 },
  )
})

test('a member named __proto__ is a member, and no object has a prototype', () => {
  const read = parseJsonObject(Buffer.from('{"__proto__":{"a":1},"constructor":2}'), limits)
  assert.equal(Object.getPrototypeOf(read), null)
  assert.deepEqual(Object.keys(read), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(read['__proto__']), null)
  assert.equal(({} as Record<string, unknown>)['a'], undefined)
})

test('a name given twice is refused, however it is written, at any depth', () => {
  assert.deepEqual(plain(parseJson(Buffer.from('{"a":{"a":1},"b":{"a":1}}'))), {
    a: { a: 1 },
    b: { a: 1 },
  })
  refuses('{"a":1,"a":1}', 'duplicate member')
  refuses('{"a":1,"\\u0061":2}', 'duplicate member')
  refuses('{"x":[{"__proto__":1,"__proto__":2}]}', 'duplicate member')
})

test('bytes that are not UTF-8 are refused, and a byte order mark with them', () => {
  assert.equal(parseJson(Buffer.from('"é😀"')), 'é😀')
  refuses(Buffer.from([0x22, 0xff, 0x22]), 'not UTF-8')
  refuses(Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'not UTF-8')
  refuses(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'not UTF-8')
  refuses(Buffer.from([0x22, 0xc3]), 'not UTF-8')
  refuses('\ufeff{}', 'syntax')
})

test('a surrogate pair is a character, a lone surrogate is refused', () => {
  assert.equal(parseJson(Buffer.from('"\\ud83d\\ude00"')), '😀')
  refuses('"\\ud83d"', 'lone surrogate')
  refuses('"\\ude00\\ud83d"', 'lone surrogate')
  refuses('{"\\udfff":1}', 'lone surrogate')
})

test('escapes are those of JSON', () => {
  assert.equal(parseJson(Buffer.from('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041"')), '"\\/\b\f\n\r\tA')
  for (const bad of ['"\\x41"', '"\\u12"', '"\\u12g4"', '"\\', '"\\"', '"\\é"', '"\\\n"', '"\n"']) {
    refuses(bad, 'syntax')
  }
})

test('numbers are those of JSON, and finite', () => {
  for (const text of ['0', '-0', '10', '1.5', '1e3', '1E+3', '-1.25e-2']) {
    assert.equal(parseJson(Buffer.from(text)), JSON.parse(text))
  }
  for (const bad of ['01', '+1', '.5', '1.', '1e', '-', '0x10', 'NaN', 'Infinity', '1_000']) {
    refuses(bad, 'syntax')
  }
  refuses('1e999', 'number out of range')
})

test('anything after the value is refused, white space aside', () => {
  assert.deepEqual(parseJson(Buffer.from(' \r\n\t[1 , 2] \n')), [1, 2])
  for (const bad of [
    '{}x',
    '{}{}',
    '[1,]',
    '{"a":1,}',
    '[1 2]',
    '{"a" 1}',
    '{a:1}',
    '',
    '\u00a0{}',
  ]) {
    refuses(bad, 'syntax')
  }
})

test('depth is bounded before the recursion is made', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  assert.ok(Array.isArray(parseJson(Buffer.from(nested(depthMax)))))
  refuses(nested(depthMax + 1), 'too deep')
  refuses('{"a":'.repeat(150_000), 'too deep')
  refuses('['.repeat(1024 * 1024), 'too deep')
})

test('the number of objects and lists is bounded', () => {
  const lists = (count: number): string =>
    `[${Array<string>(count - 1)
      .fill('[]')
      .join(',')}]`
  assert.ok(Array.isArray(parseJson(Buffer.from(lists(containersMax)))))
  refuses(lists(containersMax + 1), 'too many objects and lists')
})

test('the number of values is bounded, in lists and in objects', () => {
  const list = (length: number): string => `[${'1,'.repeat(length - 1)}1]`
  assert.ok(Array.isArray(parseJson(Buffer.from(list(valuesMax - 1)))))
  refuses(list(valuesMax), 'too many values')
  const members = Array.from({ length: valuesMax }, (_, index) => `"${index}":1`)
  refuses(`{${members.join()}}`, 'too many values')
  refuses(`[${list(valuesMax / 2)},${list(valuesMax / 2)}]`, 'too many values')
})

test('a long string of escapes is read as JSON.parse reads it', () => {
  const text = `"${String.raw`\u0041\n\"\\`.repeat(40_000)}"`
  assert.equal(parseJson(Buffer.from(text)), JSON.parse(text))
})

test('a body must be one object', () => {
  assert.deepEqual(plain(parseJsonObject(Buffer.from('{}'), limits)), {})
  for (const bad of ['[]', '"a"', '1', 'null', 'true']) {
    assert.throws(
      () => parseJsonObject(Buffer.from(bad), limits),
      (error) => error instanceof MalformedJson && error.fault === 'not an object',
    )
  }
})
