/** The operations of IAM and STS against their files and the table of coverage. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { iamRegistry } from '../../../src/operations/iam/registry.ts'
import { stsRegistry } from '../../../src/operations/sts/registry.ts'
import { kmsRegistry } from '../../../src/operations/kms/registry.ts'

const queryRegistry = new Map([...iamRegistry, ...stsRegistry])

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
/** As the AWS CLI writes it: `CreateOpenIDConnectProvider` is `create-open-id-connect-provider`. */
const kebab = (name: string): string =>
  name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()

for (const service of new Set([...queryRegistry.values()].map((known) => known.service))) {
  const folder = new URL(`../../../src/operations/${service}/`, import.meta.url)
  const declared = readdirSync(folder).map((file) => {
    const text = read(`src/operations/${service}/${file}`)
    // The name is the first member of an operation's own declaration, or the first argument of its family.
    const declaration = new RegExp(
      `^export const \\w+ = ${service}Operation<[^]*?(?:name: |\\w\\()'(\\w+)'`,
      'gm',
    )
    return { file, text, names: [...text.matchAll(declaration)].map(([, name = '']) => name) }
  })

  test(`every operation of ${service} is declared in exactly one file, and no others are`, () => {
    const names = [...queryRegistry.values()]
      .filter((known) => known.service === service)
      .map(({ name }) => name)
    assert.deepEqual(declared.flatMap((each) => each.names).toSorted(), names.toSorted())
  })

  test(`a file of one operation of ${service} has the name of the operation`, () => {
    const wrong = declared.filter(
      ({ file, names: [name = '', ...others] }) =>
        name !== '' && others.length === 0 && file !== `${kebab(name)}.ts`,
    )
    assert.deepEqual(
      wrong.map(({ file }) => file),
      [],
    )
  })

  test(`every operation of ${service} links to its page in the API reference`, () => {
    const missing = declared.flatMap(({ text, names }) =>
      names.filter((name) => !text.includes(`/APIReference/API_${name}.html`)),
    )
    assert.deepEqual(missing, [])
  })
}

test('the coverage table has every operation of IAM and STS', () => {
  const coverage = read('docs/api-coverage.md').split('## IAM and STS')[1] ?? ''
  const missing = [...queryRegistry.values()].filter(
    ({ name }) => !new RegExp(`\\b${name}\\b`).test(coverage),
  )
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
})

test('tests call every operation of IAM and STS by the SDK, the AWS CLI and boto3', () => {
  const sources = readdirSync(new URL('../../', import.meta.url), { recursive: true })
    .map(String)
    .filter((file) => /\.(?:ts|py)$/.test(file))
    .map((file) => ({ file, text: read(`test/${file}`) }))
  const inFiles = (ending: string, pattern: RegExp): boolean =>
    sources.some(({ file, text }) => file.endsWith(ending) && pattern.test(text))
  const missing = [...queryRegistry.values()].flatMap(({ name, service }) => {
    const spoken = kebab(name)
    const driven = {
      sdk: inFiles('.ts', new RegExp(`\\b${name}Command\\b`)),
      // Tests also build commands from their last word: `json(\`aws iam ${command} …`.
      cli: inFiles(
        '.ts',
        new RegExp(`(?:aws|profile \\w+) ${service} ${spoken}\\b|\\('${spoken}[' ]`),
      ),
      boto3: inFiles('.py', new RegExp(`\\b${spoken.replaceAll('-', '_')}\\b`)),
    }
    return Object.entries(driven).flatMap(([client, done]) => (done ? [] : [`${name}: ${client}`]))
  })
  assert.deepEqual(missing, [])
})

test('every operation needs a permission, except those that AWS gives to every caller', () => {
  const open = [...kmsRegistry.values(), ...queryRegistry.values()].filter((known) => {
    const named = [known.user, known.role, known.group, known.alias, known.assumes]
    const asks = [...named, ...Object.values(known.keys)].some((each) => each !== undefined)
    return !asks && !('permissions' in known)
  })
  assert.deepEqual(open.map(({ name }) => name).toSorted(), [
    'GetCallerIdentity',
    'GetSessionToken',
  ])
})
