/** CloudTrail's operations: files, registry, coverage and the SDK's names agree. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-cloudtrail'
import { cloudtrailRegistry } from '../../../src/operations/cloudtrail/registry.ts'

const folder = new URL('../../../src/operations/cloudtrail/', import.meta.url)
const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
const names = [...cloudtrailRegistry.values()].map(({ name }) => name)

test('every operation has a file of its name, and the other way round', () => {
  const declaring = readdirSync(folder).filter((file) =>
    /= trailOperation</.test(readFileSync(new URL(file, folder), 'utf8')),
  )
  assert.deepEqual(declaring.sort(), names.map((name) => `${kebab(name)}.ts`).sort())
})

test('every operation is one that the SDK knows, and stands in the table of coverage', () => {
  const coverage = readFileSync(new URL('../../../docs/api-coverage.md', import.meta.url), 'utf8')
  for (const name of names) {
    assert(Object.hasOwn(sdk, `${name}Command`), name)
    assert.match(coverage, new RegExp(`\\b${name}\\b`))
  }
})

test('every operation asks for the permission of its name, on its trail or on all', () => {
  const given = { Name: 'trail', TrailName: 'trail' }
  for (const operation of cloudtrailRegistry.values()) {
    const { name } = operation
    const asked = operation.permissions?.(given) ?? []
    assert.deepEqual(
      asked.map(({ action }) => action),
      [`cloudtrail:${name}`],
    )
    const everywhere = ['DescribeTrails', 'ListTrails', 'ListPublicKeys', 'LookupEvents']
    assert.equal(asked[0]?.trailResource, everywhere.includes(name) ? undefined : 'trail/trail')
  }
})
