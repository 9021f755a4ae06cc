/** The operations of IAM and STS against their files and the table of coverage. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { queryRegistry } from '../../src/operations/query-registry.ts'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()

for (const service of new Set([...queryRegistry.values()].map((known) => known.service))) {
  test(`every operation of ${service} has a file of its name, and the other way round`, () => {
    const folder = new URL(`../../src/operations/${service}/`, import.meta.url)
    const declaring = readdirSync(folder).filter((file) =>
      read(`src/operations/${service}/${file}`).includes(`= ${service}Operation<`),
    )
    const names = [...queryRegistry.values()]
      .filter((known) => known.service === service)
      .map(({ name }) => `${kebab(name)}.ts`)
    assert.deepEqual(declaring.toSorted(), names.toSorted())
  })
}

test('every operation of IAM and STS stands in the table of coverage', () => {
  const coverage = read('docs/api-coverage.md').split('## IAM and STS')[1] ?? ''
  const missing = [...queryRegistry.values()].filter(
    ({ name }) => !new RegExp(`\\b${name}\\b`).test(coverage),
  )
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
})
