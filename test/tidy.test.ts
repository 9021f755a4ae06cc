/** What lint cannot hold: the shape of the tree and of its text. @module */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-kms'
import { kmsRegistry } from '../src/operations/kms/registry.ts'
import { serverRegistry } from '../src/operations/registry.ts'
import { files, read, root, sources } from './listed-files.ts'
// oxlint-disable-next-line import/no-unassigned-import -- it registers tests
import './tidy-documents.ts'

const kebab = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()

/** The places where `matches` holds, as `file:line`. */
function places(among: readonly string[], matches: (line: string) => boolean): string[] {
  return among.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (matches(line) ? [`${file}:${index + 1}`] : [])),
  )
}

/** Where a service's operations live, if its folder has another name. */
const serviceFolders: Readonly<Record<string, string>> = {
  monitoring: 'cloudwatch',
  'kms-xks-proxy': 'xks-proxy',
}

test('every operation of KMS has a file and a unit test of its name, and the other way round', () => {
  const names = [...kmsRegistry.values()].map(({ name }) => kebab(name))
  for (const name of names) {
    assert.ok(files.includes(`src/operations/kms/${name}.ts`), `src/operations/kms/${name}.ts`)
    const tested = files.includes(`test/operations/kms/${name}.test.ts`)
    assert.ok(tested, `test/operations/kms/${name}.test.ts`)
  }
  const declaring = sources
    .filter((file) => file.startsWith('src/operations/kms/'))
    .filter((file) => /= operation</.test(read(file)))
    .map((file) => file.slice('src/operations/kms/'.length, -'.ts'.length))
  assert.deepEqual(declaring.toSorted(), names.toSorted())
  const known = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name))
  const counted = `These are ${names.length} of the ${known.length} operations of AWS KMS.`
  assert.ok(read('docs/api-coverage.md').includes(counted), counted)
})

test('every operation of every service has a file, a test and a row in the table of coverage', () => {
  const coverage = read('docs/api-coverage.md')
  const tests = files.filter((file) => file.startsWith('test/') && file !== 'test/tidy.test.ts')
  const asserted = tests.map(read).join('\n')
  const wrong = [...serverRegistry({ testApi: true }).values()].flatMap(({ name, service }) => {
    const folder = `src/operations/${serviceFolders[service] ?? service}/`
    // Members of a family share one file, which gives each its name.
    const inFamily = (file: string): boolean =>
      file.startsWith(folder) && read(file).includes(`'${name}'`)
    const hasFile = files.includes(`${folder}${kebab(name)}.ts`) || sources.some(inFamily)
    const row = new RegExp(`^\\|.*\\b${name}\\b.*\\|$`, 'm').exec(coverage)?.[0]
    const namedTest = /test\/\S+\.test\.ts/.exec(row ?? '')?.[0]
    const hasTest =
      namedTest === undefined
        ? new RegExp(`\\b${name}(Command)?\\b`).test(asserted)
        : files.includes(namedTest)
    return hasFile && hasTest && row !== undefined
      ? []
      : [`${service}:${name} file ${hasFile}, test ${hasTest}, row ${row !== undefined}`]
  })
  assert.deepEqual(wrong, [])
})

test('the README names the folders of src and the files at its top, and no others', () => {
  const tree = /\n {4}src\/\n((?: {6}.*\n)+)/.exec(read('README.md'))?.[1] ?? ''
  const named = [...tree.matchAll(/^ {6}(\S+)/gm)].map(([, name]) => name ?? '')
  const there = new Set(
    sources.flatMap((file) => {
      const [top, first, ...rest] = file.split('/')
      return top !== 'src' || first === undefined ? [] : [rest.length > 0 ? `${first}/` : first]
    }),
  )
  assert.deepEqual(named.toSorted(), [...there].toSorted())
})

test('no folder or file is a dumping ground by its name', () => {
  const dumps = files.filter((file) =>
    /(^|\/)(utils?|helpers?|common|misc)(\/|\.[a-z]+$)/.test(file),
  )
  assert.deepEqual(dumps, [])
})

test('every source file begins by saying what it holds', () => {
  const silent = sources.filter(
    (file) => file.startsWith('src/') && !/^(#!.*\n)?\/\*\*/.test(read(file)),
  )
  assert.deepEqual(silent, [])
})

/** The formatter keeps code within 100; prose may run over by a word. */
test('no line of a source file is longer than 110 characters', () => {
  const inSource = sources.filter((file) => file.startsWith('src/'))
  const long = places(inSource, (line) => line.length > 110 && !/https?:\/\/\S{60}/.test(line))
  assert.deepEqual(long, [])
})

test('no TODO stands without the number of its issue', () => {
  const others = sources.filter((file) => file !== 'test/tidy.test.ts')
  const naked = places(others, (line) => /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(line))
  assert.deepEqual(naked, [])
})

test('no test is left alone, or left out without a reason', () => {
  const flagged = places(
    sources.filter((file) => file.endsWith('.test.ts')),
    (line) => /\btest\.(only|todo|skip)\(|\b(only|todo|skip): true|\bt\.skip\(\)/.test(line),
  )
  assert.deepEqual(flagged, [])
})

test('node:sqlite, node:ffi and the clock of the system stay where they belong', () => {
  const inSource = sources.filter((file) => file.startsWith('src/'))
  const sqlite = places(
    inSource.filter((file) => file !== 'src/store/sqlite/sqlite.ts'),
    (line) => /from 'node:sqlite'/.test(line),
  )
  const ffi = places(
    inSource.filter((file) => file !== 'src/wire/peer-user.ts'),
    (line) => /'node:ffi'/.test(line),
  )
  const now = places(
    // The clock itself, the Date header of an answer that no request is behind, and the age of what a node
    // knows: no test may move that.
    inSource.filter(
      (file) =>
        !['src/jobs/clock.ts', 'src/wire/refusal.ts', 'src/store/postgres/moment.ts'].includes(
          file,
        ),
    ),
    (line) => /\bDate\.now\(\)|new Date\(\)|Math\.random\(/.test(line),
  )
  assert.deepEqual({ sqlite, ffi, now }, { sqlite: [], ffi: [], now: [] })
})

test('only what is meant to be run has the run bit', () => {
  const runnable = files.filter((file) => (statSync(join(root, file)).mode & 0o111) !== 0)
  assert.deepEqual(runnable.toSorted(), ['.ci/run', 'bin/trent.js'])
})

test('what every listed file ends with is one line break', () => {
  const text = files.filter((file) => /\.(ts|js|mjs|json|md|py)$/.test(file))
  const wrong = text.filter((file) => !/[^\n]\n$/.test(read(file)))
  assert.deepEqual(wrong, [])
})

/**
 * The folders that each folder may import, types included; `errors.ts` is free to all. Folders of `operations/`
 * and `audit/` stand alone, every other folder includes those below it. A new arrow needs a reason.
 */
const allowedImports: Readonly<Record<string, string>> = {
  model: '',
  disk: '',
  policy: 'model',
  crypto: 'model threads',
  throttle: 'model threads',
  jobs: 'model',
  webhooks: 'model',
  threads: 'model',
  pkcs11: '',
  seals: 'crypto disk model pkcs11 webhooks',
  store: 'crypto model threads',
  backup: 'audit/records crypto disk jobs lifecycle model store threads webhooks',
  keystores: 'crypto disk model pkcs11 webhooks',
  'operations/contract': 'keystores model policy store throttle',
  'audit/journal': 'crypto disk model store',
  'audit/records': 'throttle model operations/contract policy',
  audit: 'audit/journal audit/records disk store threads model',
  'audit/index': 'audit/journal audit/records disk jobs model store threads',
  'audit/delivery': 'audit/journal crypto disk jobs model store webhooks',
  'audit/verify': 'audit/delivery audit/journal crypto disk model store',
  events: 'disk jobs model store webhooks',
  wire: 'model operations/contract',
  console: 'disk model throttle webhooks wire',
  operator: 'disk model webhooks wire',
  tls: 'disk model webhooks wire',
  cache: 'crypto model operations/contract policy store threads',
  authenticate: 'cache crypto model operations/contract store wire',
  lifecycle:
    'audit audit/journal audit/records events jobs keystores model operations/contract store',
  resolve: 'cache crypto lifecycle model operations/contract policy store',
  authorize: 'authenticate cache model operations/contract policy resolve store',
  operations:
    'crypto model operations/contract operations/kms operations/iam operations/sts operations/cloudtrail operations/cloudwatch operations/tagging operations/xks-proxy operations/trent',
  'operations/kms':
    'operations/iam crypto keystores lifecycle model operations/contract policy store throttle',
  'operations/iam': 'model operations/contract policy store',
  'operations/sts': 'model operations/contract operations/iam',
  'operations/cloudtrail': 'model operations/contract store',
  'operations/cloudwatch': 'model operations/contract operations/kms store',
  'operations/tagging': 'model operations/contract store',
  'operations/xks-proxy': 'model operations/contract',
  'operations/trent':
    'crypto lifecycle model operations/contract operations/iam operations/kms policy store throttle',
  explain: 'authorize cache model operations/contract policy resolve store',
  metrics:
    'audit audit/delivery audit/journal authenticate cache disk events jobs keystores model operations/trent store',
  pipeline:
    'audit audit/journal audit/records authenticate authorize cache events lifecycle metrics model operations/contract policy resolve store throttle wire',
  'config.ts':
    'audit/delivery backup console crypto keystores model operator seals store throttle tls webhooks',
  'version.ts': '',
  server:
    'audit audit/delivery audit/index audit/journal audit/records authenticate authorize backup cache config.ts console crypto disk events explain jobs keystores lifecycle metrics model operations operations/contract operations/kms operator pipeline pkcs11 policy resolve seals store threads throttle tls version.ts wire',
  cli: 'backup audit/delivery audit/journal audit/verify config.ts console crypto disk jobs metrics model operations/contract operations/trent operator policy seals server store tls version.ts wire',
  'main.ts': 'cli version.ts',
}

/** `audit/journal` for `src/audit/journal/frame.ts`, `store` for `src/store/tables/key-rows.ts`. */
function folderOf(file: string): string {
  const [, top = '', second = '', third] = file.split('/')
  const alone = (top === 'operations' || top === 'audit') && third !== undefined
  return alone ? `${top}/${second}` : top
}

function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:\bfrom|\bimport\(|\bimport) '(\.[^']+)'/g)
  return [...found].map(([, specifier = '']) => posix.join(posix.dirname(file), specifier))
}

test('each folder of src imports only the folders on its list', () => {
  const inSource = sources.filter((file) => file.startsWith('src/'))
  const used = new Set<string>()
  const wrong = inSource.flatMap((file) => {
    const from = folderOf(file)
    const allowed = allowedImports[from]?.split(' ') ?? []
    return importsOf(file).flatMap((imported) => {
      const to = folderOf(imported)
      used.add(`${from} ${to}`)
      return to === from || to === 'errors.ts' || allowed.includes(to) ? [] : [`${file}: ${to}`]
    })
  })
  const idle = Object.entries(allowedImports).flatMap(([from, list]) =>
    list
      .split(' ')
      .flatMap((to) => (to === '' || used.has(`${from} ${to}`) ? [] : [`${from}: ${to}`])),
  )
  assert.deepEqual({ wrong, idle }, { wrong: [], idle: [] })
})

test('no file imports itself by way of others, by value or by type', () => {
  const next = new Map(
    sources.filter((file) => file.startsWith('src/')).map((file) => [file, importsOf(file)]),
  )
  const finished = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    if (finished.has(file)) return
    for (const imported of next.get(file) ?? []) visit(imported, [...path, file])
    finished.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  assert.deepEqual(cycles, [])
})

test('the lists of imports hold no cycle', () => {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (allowedImports[from]?.split(' ') ?? []).some((next) => {
      if (next === to) return true
      if (next === '' || seen.has(next)) return false
      return reaches(next, to, seen.add(next))
    })
  const cyclic = Object.keys(allowedImports).filter((folder) => reaches(folder, folder, new Set()))
  assert.deepEqual(cyclic, [])
})

test('the layers in CONTRIBUTING show each folder above the folders that it imports', () => {
  const picture = /\n {4}main\.ts\n(?: {4}.*\n)+/.exec(read('CONTRIBUTING.md'))?.[0] ?? ''
  const lines = picture.trim().split('\n')
  const names = lines.map((line) => line.trim().split(/ {3,}/)[0]?.split(', ') ?? [])
  const shown = (folder: string): string =>
    /^operations(?!\/contract)/.test(folder) ? 'operations/*' : folder
  const lineOf = (folder: string): number => names.findIndex((line) => line.includes(shown(folder)))
  const wrong = Object.entries(allowedImports).flatMap(([from, list]) =>
    list
      .split(' ')
      .filter((to) => to !== '' && shown(to) !== shown(from))
      .flatMap((to) =>
        lineOf(from) !== -1 && lineOf(to) > lineOf(from) ? [] : [`${from}: ${to}`],
      ),
  )
  assert.deepEqual(wrong, [])
})
