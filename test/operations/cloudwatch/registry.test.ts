/** CloudWatch's operations: files, registry, coverage and the SDK's names agree. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-cloudwatch'
import { cloudwatchRegistry } from '../../../src/operations/cloudwatch/registry.ts'

const folder = new URL('../../../src/operations/cloudwatch/', import.meta.url)
const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
const names = [...cloudwatchRegistry.values()].map(({ name }) => name)

test('every operation has a file of its name, and the other way round', () => {
  const declaring = readdirSync(folder).filter((file) =>
    /= metricOperation</.test(readFileSync(new URL(file, folder), 'utf8')),
  )
  assert.deepEqual(declaring.toSorted(), names.map((name) => `${kebab(name)}.ts`).toSorted())
})

test('every operation is one that the SDK knows, and stands in the table of coverage', () => {
  const coverage = readFileSync(new URL('../../../docs/api-coverage.md', import.meta.url), 'utf8')
  for (const name of names) {
    assert(Object.hasOwn(sdk, `${name}Command`), name)
    assert.match(coverage, new RegExp(`\\b${name}\\b`))
  }
})

test('every operation asks for the permission of its name, and keeps all of its input but labels', () => {
  for (const operation of cloudwatchRegistry.values()) {
    const { name, input, audit } = operation
    const asked = [{ action: `cloudwatch:${name}`, unnamedResource: true }]
    assert.deepEqual(operation.permissions?.({}), asked)
    const left = Object.keys(input).filter((member) => !audit.includes(member))
    assert.deepEqual(left, name === 'GetMetricData' ? ['LabelOptions'] : [])
  }
})
