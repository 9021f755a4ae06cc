import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConditions } from '../../src/policy/validate-conditions.ts'
import { compileCondition } from '../../src/policy/conditions.ts'
import { operators, type Effect, type PolicyLanguageVersion } from '../../src/policy/document.ts'
import { PolicyFaultFound } from '../../src/policy/malformed.ts'
import { budget } from '../../src/policy/reading.ts'
import { newWork } from '../../src/policy/work.ts'
import { contextOf } from './given.ts'

interface Options {
  readonly effect?: Effect
  readonly version?: PolicyLanguageVersion
}
type Entries = Parameters<typeof contextOf>[0]

function holds(
  operator: string,
  wanted: unknown,
  entries: Entries,
  { effect = 'Allow', version = '2012-10-17' }: Options = {},
): boolean {
  const reading = { kind: 'identity', version, left: { ...budget } } as const
  const [condition] = readConditions({ [operator]: { 'test:Key': wanted } }, 'C', effect, reading)
  assert.ok(condition)
  const predicate = compileCondition(condition, version)
  assert.ok(predicate)
  const verdict = predicate(contextOf(entries), newWork())
  return effect === 'Deny' ? verdict !== false : verdict === true
}

/** Operator, policy value, a request value for which it holds, one for which it does not. */
const table: readonly (readonly [keyof typeof operators, unknown, string, string])[] = [
  ['StringEquals', 'Alice', 'Alice', 'alice'],
  ['StringNotEquals', 'Alice', 'alice', 'Alice'],
  ['StringEqualsIgnoreCase', 'Alice', 'aLICE', 'bob'],
  ['StringNotEqualsIgnoreCase', 'Alice', 'bob', 'aLICE'],
  ['StringLike', 'a?c*', 'abcdef', 'acdef'],
  ['StringNotLike', 'a?c*', 'acdef', 'abcdef'],
  ['NumericEquals', 10, '10.0', '11'],
  ['NumericNotEquals', '10', '11', '+10.0'],
  ['NumericLessThan', '10', '-9.5', '10'],
  ['NumericLessThanEquals', '10', '10', '10.1'],
  ['NumericGreaterThan', '10', '10.1', '10'],
  ['NumericGreaterThanEquals', '10', '10', '9'],
  ['DateEquals', '2030-01-01T00:00:00Z', '2030-01-01T01:00:00+01:00', '2030-01-01T00:00:01Z'],
  ['DateNotEquals', '2030-01-01', '2030-01-02', '2030-01-01T00:00:00.000Z'],
  ['DateLessThan', '2030-01-01T00:00Z', '2029-12-31T23:59:59.999Z', '2030'],
  ['DateLessThanEquals', '2030-01-01T00:00:00Z', '1893456000', '1893456001'],
  ['DateGreaterThan', 1893456000, '2030-01-01T00:00:00.001Z', '2030-01-01T00:00:00Z'],
  ['DateGreaterThanEquals', '2030-01', '2030-01-01T00:00:00Z', '2029-12-31'],
  ['Bool', true, 'true', 'false'],
  ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', 'QmluYXJ6'],
  ['IpAddress', '203.0.113.0/24', '203.0.113.77', '203.0.114.77'],
  ['NotIpAddress', '2001:db8::/32', '2001:db9::1', '2001:db8:ffff::1'],
  ['ArnEquals', 'arn:aws:iam::*:role/a?c*', 'arn:aws:iam::1:role/abc/d', 'arn:aws:iam::1:role/ac'],
  ['ArnLike', 'arn:aws:iam::*:role/x', 'arn:aws:iam::1:role/x', 'arn:aws:iam:us:1:role/x'],
  ['ArnNotEquals', 'arn:aws:iam::1:role/x', 'arn:aws:iam::2:role/x', 'arn:aws:iam::1:role/x'],
  ['ArnNotLike', 'arn:aws:iam::1:role/*', 'arn:aws:iam::1:user/x', 'arn:aws:iam::1:role/x:y'],
]

test('the table names every operator but Null', () => {
  const named = [...table.map(([operator]) => operator), 'Null']
  assert.deepEqual(named.sort(), Object.keys(operators).sort())
})

for (const [operator, wanted, yes, no] of table) {
  const { negated } = operators[operator]
  test(`${operator} holds for ${yes} and not for ${no}`, () => {
    assert.equal(holds(operator, wanted, { 'test:key': yes }), true)
    assert.equal(holds(operator, wanted, { 'test:key': no }), false)
  })
  test(`${operator} of a missing key is ${String(negated)}, and true with IfExists`, () => {
    for (const effect of ['Allow', 'Deny'] as const) {
      assert.equal(holds(operator, wanted, {}, { effect }), negated)
      assert.equal(holds(operator, wanted, { 'test:key': [] }, { effect }), negated)
      assert.equal(holds(`${operator}IfExists`, wanted, {}, { effect }), true)
      assert.equal(holds(`${operator}IfExists`, wanted, { 'test:key': no }, { effect }), false)
      assert.equal(holds(`${operator}IfExists`, wanted, { 'test:key': yes }, { effect }), true)
    }
  })
  test(`${operator} with ForAllValues needs all, with ForAnyValue one`, () => {
    const both = { 'test:key': [yes, no] }
    assert.equal(holds(`ForAllValues:${operator}`, wanted, both), false)
    assert.equal(holds(`ForAnyValue:${operator}`, wanted, both), true)
    assert.equal(holds(`ForAllValues:${operator}`, wanted, { 'test:key': [yes, yes] }), true)
    assert.equal(holds(`ForAnyValue:${operator}`, wanted, { 'test:key': [no, no] }), false)
    assert.equal(holds(`ForAllValues:${operator}`, wanted, {}), true)
    assert.equal(holds(`ForAnyValue:${operator}`, wanted, {}), false)
    assert.equal(holds(`ForAnyValue:${operator}IfExists`, wanted, {}), true)
  })
  test(`${operator} without a set operator on several values goes against the caller`, () => {
    for (const values of [
      [yes, yes],
      [yes, no],
      [no, no],
    ]) {
      const given = { 'test:key': values }
      assert.equal(holds(operator, wanted, given, { effect: 'Allow' }), false)
      assert.equal(holds(operator, wanted, given, { effect: 'Deny' }), true)
      assert.equal(holds(`${operator}IfExists`, wanted, given, { effect: 'Allow' }), false)
    }
    assert.equal(holds(operator, wanted, { 'test:key': [yes] }), true)
    assert.equal(holds(operator, wanted, { 'test:key': [no] }, { effect: 'Deny' }), false)
  })
}

test('several values of a policy are alternatives, and for negated operators none may match', () => {
  assert.equal(holds('StringEquals', ['a', 'b'], { 'test:key': 'b' }), true)
  assert.equal(holds('StringEquals', ['a', 'b'], { 'test:key': 'c' }), false)
  assert.equal(holds('StringNotEquals', ['a', 'b'], { 'test:key': 'b' }), false)
  assert.equal(holds('StringNotEquals', ['a', 'b'], { 'test:key': 'c' }), true)
})

test('Null true asks that the key be absent, false that it be there', () => {
  assert.equal(holds('Null', 'true', {}), true)
  assert.equal(holds('Null', true, { 'test:key': 'x' }), false)
  assert.equal(holds('Null', 'false', { 'test:key': 'x' }), true)
  assert.equal(holds('Null', false, {}), false)
})

for (const [operator, wanted] of table.filter(([name]) => !name.startsWith('String'))) {
  test(`${operator} of a value of another type is decided against the caller`, () => {
    const otherTypes = ['not of the type', '2030-02-31', '::1%eth0', 'a:b:c:d:e:f']
    if (operator !== 'BinaryEquals') otherTypes.push('', '1'.repeat(400))
    for (const value of otherTypes) {
      assert.equal(holds(operator, wanted, { 'test:key': value }, { effect: 'Allow' }), false)
      assert.equal(holds(operator, wanted, { 'test:key': value }, { effect: 'Deny' }), true)
    }
  })
}

test('values beyond the bounds are decided against the caller', () => {
  for (const value of ['x'.repeat(20_000), Array.from({ length: 1_001 }, () => '')]) {
    for (const operator of ['StringLike', 'StringNotLike', 'ForAllValues:StringLike']) {
      assert.equal(holds(operator, '*', { 'test:key': value }, { effect: 'Allow' }), false)
      assert.equal(holds(operator, '*', { 'test:key': value }, { effect: 'Deny' }), true)
    }
  }
})

const variables: readonly (readonly [string, string, string, boolean])[] = [
  ['StringEquals', '${aws:UserName}', 'alice', true],
  ['StringEquals', '${aws:username}!', 'alice!', true],
  ['StringLike', 'home/${aws:username}/*', 'home/alice/x', true],
  ['StringLike', '${test:star}', 'anything', false],
  ['StringLike', '${test:star}', '*', true],
  ['StringLike', '${*}${?}${$}', '*?$', true],
  ['StringLike', '${*}', 'x', false],
  ['StringEquals', "${test:none, 'it is'}", 'it is', true],
  ['StringEquals', "${aws:username, 'it is'}", 'it is', false],
  ['StringEquals', '${test:none}', '', false],
  ['StringEquals', '${test:two}', 'a', false],
  ['ArnLike', 'arn:aws:iam::${test:account}:user/*', 'arn:aws:iam::1:user/x', true],
  ['ArnLike', '${test:arn}', 'arn:aws:iam::1:user/x', true],
  ['ArnLike', '${aws:username}', 'arn:aws:iam::1:user/x', false],
  ['StringEqualsIgnoreCase', '${aws:username}', 'ALICE', true],
]
const filled = {
  'aws:username': 'alice',
  'test:star': '*',
  'test:two': ['a', 'b'],
  'test:account': '1',
  'test:arn': 'arn:aws:iam::1:user/x',
}
for (const [operator, wanted, value, expected] of variables) {
  test(`${operator} \`${wanted}\` is ${String(expected)} of \`${value}\``, () => {
    assert.equal(holds(operator, wanted, { ...filled, 'test:key': value }), expected)
  })
}

test('a variable without a value equals nothing, so that negated operators match', () => {
  const request = { 'test:key': 'x' }
  const arn = { 'test:key': 'arn:aws:iam::1:role/x' }
  for (const effect of ['Allow', 'Deny'] as const) {
    assert.equal(holds('StringEquals', '${test:none}', request, { effect }), false)
    assert.equal(holds('StringNotEquals', '${test:none}', request, { effect }), true)
    assert.equal(holds('StringNotEqualsIgnoreCase', '${test:none}', request, { effect }), true)
    assert.equal(holds('StringNotLike', 'x${test:none}*', request, { effect }), true)
    assert.equal(holds('ArnNotEquals', '${test:none}', arn, { effect }), true)
    assert.equal(holds('StringNotEquals', ['${test:none}', 'x'], request, { effect }), false)
    assert.equal(holds('StringNotEquals', ['${test:none}', 'y'], request, { effect }), true)
    assert.equal(holds('ForAllValues:StringNotEquals', '${test:none}', request, { effect }), true)
  }
})

test('a variable of several values is undecided: it goes against the caller', () => {
  const request = { 'test:key': 'x', 'test:many': ['x', 'y'] }
  for (const operator of ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike']) {
    assert.equal(holds(operator, '${test:many}', request, { effect: 'Allow' }), false)
    assert.equal(holds(operator, '${test:many}', request, { effect: 'Deny' }), true)
  }
})

test('Bool takes policy variables', () => {
  const both = (value: string, of: string) => ({ 'test:key': value, 'test:one': of })
  assert.equal(holds('Bool', '${test:one}', both('true', 'true')), true)
  assert.equal(holds('Bool', '${test:one}', both('true', 'False')), false)
  assert.equal(holds('Bool', '${test:one}', { 'test:key': 'true' }), false)
  assert.equal(holds('Bool', "${test:one, 'true'}", { 'test:key': 'true' }), true)
  for (const [effect, expected] of [
    ['Allow', false],
    ['Deny', true],
  ] as const) {
    assert.equal(holds('Bool', '${test:one}', both('true', 'yes'), { effect }), expected)
  }
  const old = { version: '2008-10-17' } as const
  assert.throws(() => holds('Bool', '${test:one}', {}, old), PolicyFaultFound)
  assert.throws(() => holds('Bool', 'yes', {}), PolicyFaultFound)
})

test('ForAllValues is true of an empty string alone, as of no value', () => {
  for (const operator of ['StringEquals', 'StringNotEquals', 'StringLike', 'Bool', 'IpAddress']) {
    const wanted = operator === 'Bool' ? 'true' : operator === 'IpAddress' ? '10.0.0.1' : 'a'
    for (const effect of ['Allow', 'Deny'] as const) {
      assert.equal(holds(`ForAllValues:${operator}`, wanted, { 'test:key': '' }, { effect }), true)
    }
  }
  assert.equal(holds('ForAllValues:StringEquals', 'a', { 'test:key': ['', ''] }), false)
  assert.equal(holds('ForAllValues:StringEquals', 'a', { 'test:key': ['a', ''] }), false)
  assert.equal(holds('ForAllValues:StringEquals', 'a', { 'test:key': 'b' }), false)
  assert.equal(holds('ForAnyValue:StringEquals', 'a', { 'test:key': '' }), false)
  assert.equal(holds('StringEquals', 'a', { 'test:key': '' }), false)
})

test('variables that together grow beyond the bound have no value', () => {
  const request = { 'test:long': 'x'.repeat(16_000), 'test:key': 'y' }
  assert.equal(holds('StringLike', '${test:long}*${test:long}*${test:long}', request), false)
})

test('a variable is filled in once a request, however many values are compared with it', () => {
  let asked = 0
  class CountingContext extends Map<string, readonly string[]> {
    override get(key: string): readonly string[] | undefined {
      if (key === 'test:name') asked += 1
      return super.get(key)
    }
  }
  const values = Array.from({ length: 100 }, (_, index) => `x${index}`)
  const context = new CountingContext([
    ['test:key', values],
    ['test:name', ['x99']],
  ])
  for (const operator of ['StringEquals', 'StringLike', 'ArnLike'] as const) {
    asked = 0
    const condition = {
      operator,
      quantifier: 'any',
      ifExists: false,
      key: 'test:key',
      values: ['${test:name}'],
    } as const
    const predicate = compileCondition(condition, '2012-10-17')
    assert.equal(predicate?.(context, newWork()), operator === 'ArnLike' ? 'value' : true)
    assert.equal(asked, 1)
  }
})

test('in Version 2008-10-17 a variable is plain text', () => {
  const old = { version: '2008-10-17' } as const
  assert.equal(
    holds('StringEquals', '${aws:username}', { ...filled, 'test:key': 'alice' }, old),
    false,
  )
  const literal = { 'test:key': '${aws:username}' }
  assert.equal(holds('StringEquals', '${aws:username}', literal, old), true)
})

test('addresses: IPv4 in IPv6 form, host bits, single addresses, the other family', () => {
  assert.equal(holds('IpAddress', '203.0.113.9/24', { 'test:key': '203.0.113.1' }), true)
  assert.equal(holds('IpAddress', '203.0.113.9', { 'test:key': '203.0.113.9' }), true)
  assert.equal(holds('IpAddress', '203.0.113.9', { 'test:key': '203.0.113.8' }), false)
  assert.equal(holds('IpAddress', '0.0.0.0/0', { 'test:key': '203.0.113.8' }), true)
  assert.equal(holds('IpAddress', '::/0', { 'test:key': '203.0.113.8' }), false)
  assert.equal(holds('IpAddress', '203.0.113.0/24', { 'test:key': '::ffff:203.0.113.8' }), true)
})

const refused: readonly (readonly [string, unknown])[] = [
  ['StringEqual', 'x'],
  ['stringequals', 'x'],
  ['StringEqualsifexists', 'x'],
  ['constructor', 'x'],
  ['__proto__', 'x'],
  ['ForSomeValues:StringEquals', 'x'],
  ['ForAllValues:ForAnyValue:StringEquals', 'x'],
  ['NullIfExists', 'true'],
  ['ForAllValues:Null', 'true'],
  ['Null', 'maybe'],
  ['Bool', 'yes'],
  ['NumericEquals', 'ten'],
  ['NumericEquals', '${aws:username}'],
  ['NumericEquals', '1234567890123456'],
  ['DateEquals', '2030-13-01'],
  ['DateEquals', '2030-02-29'],
  ['DateEquals', '2030-01-01T24:00:00Z'],
  ['DateEquals', '2030-01-01T00:00:00'],
  ['IpAddress', '203.0.113.0/33'],
  ['IpAddress', '203.0.113'],
  ['IpAddress', '::1/129'],
  ['IpAddress', '1.1.1.1/8/8'],
  ['BinaryEquals', 'not base64'],
  ['ArnLike', 'arn:aws:iam'],
  ['StringEquals', '${unfinished'],
  ['StringEquals', "${key, 'unfinished}"],
  ['StringEquals', '${}'],
  ['StringEquals', []],
  ['StringEquals', null],
  ['StringEquals', { a: 'b' }],
  ['StringEquals', [['x']]],
]
for (const [operator, wanted] of refused) {
  test(`the condition ${operator}: ${JSON.stringify(wanted)} is refused`, () => {
    assert.throws(() => {
      holds(operator, wanted, {})
    }, PolicyFaultFound)
  })
}
