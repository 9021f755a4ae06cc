/**
 * The numbers of the profiles, compared with the source texts if those are next to the checkout.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { policyBytesMax } from '../../src/policy/validate.ts'
import { tagsMax } from '../../src/operations/kms/tags.ts'
import { createQuotas } from '../../src/throttle/profiles.ts'
import { larger, largest, macs, named2015, symmetricOperations, today } from './known-rates.ts'

const beside = (folder: string, begins: string): string | undefined => {
  const url = new URL(`../../../shared/${folder}/`, import.meta.url)
  const name = existsSync(url) && readdirSync(url).find((one) => one.startsWith(begins))
  return name ? readFileSync(new URL(name, url), 'utf8') : undefined
}
const numbers = beside('spec', 'cryptography.md')
const guide2015 = beside('seeds', '002_')
const absent = 'the text is not beside the checkout'

/** Rows of a table in Markdown, by their first cell. */
function rowsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const lines = text.split('\n').filter((line) => line.startsWith('| '))
  return new Map(
    lines.map((line) => {
      const [, first = '', ...more] = line.split('|').map((cell) => cell.trim())
      return [first, more]
    }),
  )
}

/** `Create/DeleteThing, List` names three operations. */
function namesIn(cell: string): readonly string[] {
  return cell.split(', ').flatMap((item) => {
    const [, verbs = '', noun = ''] = /^([\w/]+\/[A-Z][a-z]+)([A-Z]\w+)$/.exec(item) ?? []
    return verbs === '' ? [item] : verbs.split('/').map((verb) => `${verb}${noun}`)
  })
}

test('today’s numbers are those of the text', { skip: numbers === undefined && absent }, () => {
  const [, requests = ''] = /^## 6\.([^]*)^## 7\./m.exec(numbers ?? '') ?? []
  const rows = rowsOf(requests)
  const found = new Map<string, number>()
  for (const [cell, [value = '']] of rows) {
    const [, digits] = /^([\d,]+)(?: each)?$/.exec(value) ?? []
    const names = namesIn(cell).filter((name) => /^[A-Z][a-z]+[A-Z]\w*$/.test(name))
    if (digits === undefined) continue
    for (const name of names) found.set(name, Number(digits.replace(',', '')))
  }
  // The text has it in the singular.
  const singular = found.get('DescribeCustomKeyStore')
  assert(found.delete('DescribeCustomKeyStore') && singular !== undefined)
  found.set('DescribeCustomKeyStores', singular)
  assert.deepEqual(Object.fromEntries(found), today)
  const [symmetric] = [...rows].find(([cell]) => cell.startsWith('Symmetric cryptographic')) ?? []
  assert.deepEqual(
    symmetric?.split(': ')[1]?.split(', ').toSorted(),
    [...symmetricOperations, ...macs].toSorted(),
  )
  const [said = ''] = rows.get(symmetric ?? '') ?? []
  const short = larger.join(', ').replace('-1, ap-southeast-2', '-1/-2')
  assert(
    said.endsWith(`10,000 default; 20,000 in ${short}; 100,000 in ${largest.join(', ')}`),
    said,
  )
  const shared = [...rows].filter(([, [value]]) => value === '1,000 shared').map(([cell]) => cell)
  assert.equal(shared.length, 3, shared.join())
  assert.equal(
    rows.get('GenerateDataKeyPair* ECC_NIST_P256/P384/P521/SECG/(Ed25519)')?.[0],
    '100 each',
  )
  const rsa = rows.get('GenerateDataKeyPair* RSA_2048 / 3072 / 4096 / SM2')?.[0]
  assert.equal(rsa, '20 / 4 (0.5 in older & CN) / 1 (0.1) / 25')
})

test('counts of resources are those of the text', { skip: numbers === undefined && absent }, () => {
  const rows = rowsOf(numbers ?? '')
  const said = (name: string, column: 0 | 1): number =>
    Number(/^\(?([\d,]+)/.exec(rows.get(name)?.[column] ?? '')?.[1]?.replace(',', ''))
  const { resources } = createQuotas('aws')
  const earlier = createQuotas('aws-2015').resources
  const keys = 'Customer managed keys per account & Region'
  assert.deepEqual([resources.keys, earlier.keys], [said(keys, 0), said(keys, 1)])
  assert.deepEqual(
    [resources.aliasesPerKey, earlier.aliases],
    [said('Aliases per key', 0), said('Aliases per key', 1)],
  )
  assert.deepEqual(
    [resources.grantsPerKey, earlier.grantsPerKey],
    [said('Grants per key', 0), said('Grants per key', 1)],
  )
  assert.equal(earlier.grantsPerPrincipal, said('Grants for one principal per key', 1))
  assert.deepEqual(
    [resources.aliases, earlier.aliasesPerKey, resources.grantsPerPrincipal],
    [Infinity, Infinity, Infinity],
  )
  assert.equal(rows.get('Key policy size')?.[0], `32 KB (${policyBytesMax.toLocaleString('en')} B)`)
  assert.equal(said('Tags per key', 0), tagsMax)
  // A test reaches this one: rotations on demand.
  assert.equal(said('On-demand rotations per key', 0), 25)
})

test(
  'the numbers of 2015 are those of its guide',
  { skip: guide2015 === undefined && absent },
  () => {
    const [, limits = ''] = (guide2015 ?? '').split('\nLimits\n')
    const found = new Map<string, number>()
    for (const [, names = '', rate] of limits.matchAll(
      /^([A-Z]\w+(?: [A-Z]\w+)*)\t(\d+)(?: \(shared\))?$/gm,
    )) {
      for (const name of names.split(' ')) found.set(name, Number(rate))
    }
    const quotas = createQuotas('aws-2015')
    const groupOf = (name: string): string =>
      symmetricOperations.includes(name) ? 'cryptographic-symmetric' : name
    for (const [name, rate] of found)
      assert.equal(quotas.rateOf(groupOf(name), 'us-east-1'), rate, name)
    const shared = symmetricOperations.map((name) => [name, 100] as const)
    assert.deepEqual(Object.fromEntries(found), { ...named2015, ...Object.fromEntries(shared) })
    const counts = {
      Keys: 'keys',
      Aliases: 'aliases',
      'Grants per key': 'grantsPerKey',
      'Grants for a given principal per key': 'grantsPerPrincipal',
    } as const
    for (const [title, name] of Object.entries(counts)) {
      assert.equal(
        Number(new RegExp(`^${title}: (\\d+)$`, 'm').exec(limits)?.[1]),
        quotas.resources[name],
      )
    }
  },
)
