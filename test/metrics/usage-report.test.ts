/** Usage reports: key-months from the history of key states, requests by price and group. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { priceLists, readPriceList, PriceListError } from '../../src/metrics/prices.ts'
import { usageReport, type AccountUsage, type Asked } from '../../src/metrics/usage-report.ts'
import type { KeptTurn, RequestCount } from '../../src/model/usage.ts'

const accountId = '111122223333'
const region = 'us-west-2'
const dayMs = 86_400_000
/** A month of 30 days. */
const month = '2026-11'
const from = Date.UTC(2026, 10)
const later = Date.UTC(2027, 0)

const turn = (keyArn: string, day: number, state: string, more = {}): KeptTurn => ({
  accountId,
  region,
  keyArn,
  at: from + day * dayMs,
  state,
  ...more,
})
const count = (operation: string, succeeded: number, more = {}): RequestCount => ({
  accountId,
  region,
  keyArns: 'a',
  operation,
  own: true,
  start: from,
  succeeded,
  failed: 0,
  ...more,
})
const keyOf = (keyArn: string, spec = 'SYMMETRIC_DEFAULT', more = {}) => ({
  keyArn,
  region,
  spec,
  manager: 'CUSTOMER',
  state: 'Enabled',
  createdAt: from - 100 * dayMs,
  tags: {},
  ...more,
})

function report(of: Partial<AccountUsage>, asked: Partial<Asked> = {}) {
  const account = { accountId, requests: [], turns: [], keys: [], ...of }
  const all = { month, by: 'key', prices: priceLists.today, now: later, ...asked } as const
  return usageReport([account], all)
}
const monthsOf = (turns: readonly KeptTurn[], asked: Partial<Asked> = {}): number =>
  Number(report({ turns }, asked).total.keyMonths.toFixed(6))

test('a key is charged for the days that it existed', () => {
  assert.equal(monthsOf([turn('a', -40, 'Enabled')]), 1)
  assert.equal(monthsOf([turn('a', 15, 'Enabled')]), 0.5)
  assert.equal(monthsOf([turn('a', 31, 'Enabled')]), 0)
  assert.equal(monthsOf([turn('a', -10, 'Enabled'), turn('a', 3, 'Deleted')]), 0.1)
  // The current month, so far.
  assert.equal(monthsOf([turn('a', -1, 'Enabled')], { now: from + 6 * dayMs }), 0.2)
})

test('keys pending deletion cost nothing; nor do disabled keys in the price list of 2015', () => {
  const life = [
    turn('a', -5, 'Enabled'),
    turn('a', 3, 'Disabled'),
    turn('a', 9, 'PendingDeletion'),
    turn('a', 15, 'Disabled'),
    turn('a', 18, 'Enabled'),
  ]
  assert.equal(monthsOf(life), 0.8)
  assert.equal(monthsOf(life, { prices: priceLists['2015'] }), 0.5)
})

test('today the first two rotations are charged like keys, in 2015 every rotation', () => {
  const life = [
    turn('a', -400, 'Enabled'),
    turn('a', -300, 'Rotated'),
    turn('a', 0, 'Rotated'),
    turn('a', 15, 'Rotated'),
  ]
  assert.equal(monthsOf(life), 3)
  assert.equal(monthsOf(life, { prices: priceLists['2015'] }), 3.5)
})

test('keys that AWS manages cost nothing, and keys older than their history are charged for', () => {
  const keys = [
    keyOf('a'),
    keyOf('b', 'SYMMETRIC_DEFAULT', { manager: 'AWS' }),
    keyOf('c', 'SYMMETRIC_DEFAULT', { state: 'PendingDeletion' }),
    keyOf('d'),
  ]
  const turns = [turn('d', 15, 'PendingDeletion'), turn('e', 0, 'Enabled', { manager: 'AWS' })]
  const { rows } = report({ keys, turns })
  assert.deepEqual(
    rows.map(({ group, keyMonths }) => [group, keyMonths]),
    [
      ['a', 1],
      ['d', 0.5],
    ],
  )
})

test('requests are charged for by operation and key spec, less those that are free', () => {
  const { total, freeRequests } = report({
    keys: [keyOf('a'), keyOf('r', 'RSA_2048'), keyOf('e', 'ECC_NIST_P256')].map((key) => ({
      ...key,
      manager: 'AWS',
    })),
    requests: [
      count('Encrypt', 30_000, { failed: 7 }),
      count('Sign', 10_000, { keyArns: 'r' }),
      count('Sign', 10_000, { keyArns: 'e' }),
      count('GenerateDataKeyPair RSA_4096', 10_000),
      count('GenerateDataKeyPairWithoutPlaintext ECC_NIST_P384', 10_000),
      count('ListKeys', 10_000, { keyArns: '' }),
      // Another account's call on this account's key is paid by that account.
      count('Decrypt', 10_000, { own: false }),
    ],
  })
  assert.deepEqual([total.requests, total.failedRequests, freeRequests], [80_000, 7, 20_000])
  assert.equal(total.cost.toFixed(4), (0.03 * 2 + 0.03 + 0.15 + 12 + 0.1).toFixed(4))
})

test('each account has its own free requests', () => {
  const account = (id: string): AccountUsage => ({
    accountId: id,
    requests: [count('Encrypt', 25_000)],
    turns: [],
    keys: [],
  })
  const asked = { month, by: 'account', prices: priceLists.today, now: later } as const
  const { rows, freeRequests } = usageReport([account('1'), account('2')], asked)
  assert.deepEqual(
    [rows.map(({ cost }) => cost.toFixed(3)), freeRequests],
    [['0.015', '0.015'], 40_000],
  )
})

test('rows are gathered by account, key, operation or a tag', () => {
  const usage = {
    keys: [keyOf('a', 'SYMMETRIC_DEFAULT', { tags: { team: 'blue' } }), keyOf('b')],
    requests: [
      count('Encrypt', 2),
      count('ReEncrypt', 3, { keyArns: 'b a' }),
      count('ListKeys', 1, { keyArns: '' }),
    ],
  }
  const groups = (by: Asked['by']): unknown =>
    Object.fromEntries(report(usage, { by }).rows.map(({ group, requests }) => [group, requests]))
  assert.deepEqual(groups('account'), { [accountId]: 6 })
  assert.deepEqual(groups('key'), { a: 2, b: 3, '-': 1 })
  assert.deepEqual(groups('operation'), { Encrypt: 2, ReEncrypt: 3, ListKeys: 1, '-': 0 })
  assert.deepEqual(groups('tag:team'), { blue: 2, '-': 4 })
})

test('an operator’s price list is read, and a wrong one is refused with the member', () => {
  const { rotationsCharged: _, ...rest } = priceLists['2015']
  const own = { ...rest, rotationsCharged: 3, keyMonth: 2 }
  assert.deepEqual(readPriceList(JSON.stringify(own)), own)
  for (const [wrong, message] of [
    ['', 'it is not valid JSON'],
    ['[]', 'it must be an object'],
    [JSON.stringify({ ...own, requests: 1 }), '`requests` must be a list'],
    [JSON.stringify({ ...own, requests: [1] }), 'requests[0] must be an object'],
    [JSON.stringify({ ...own, keyMonth: -1 }), '`keyMonth` must be a number of at least 0'],
    [JSON.stringify({ ...own, name: 1 }), '`name` must be a text'],
    [JSON.stringify({ ...own, chargedStates: 'x' }), '`chargedStates` must be a list of texts'],
  ] as const) {
    assert.throws(
      () => readPriceList(wrong),
      (error: unknown) => {
        assert(error instanceof PriceListError)
        assert.equal(error.message, message)
        return true
      },
    )
  }
})
