/**
 * The shape of documents, comments and printed texts. `tidy.test.ts` imports these tests and runs them.
 * @module
 */
import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { files, read, sources } from './listed-files.ts'
import { turnsIn } from './turns.ts'

const documents = files.filter((file) => /^(docs\/.*|[A-Z]+)\.md$/.test(file))

/** Files with comments and printed texts. */
const written = /^(src|bench|demo|scripts|bin)\/.*\.(ts|mjs|js)$/

test('comments, documents and printed texts avoid turns that have to be read twice', () => {
  const prose = [...files.filter((file) => written.test(file)), ...documents]
  const found = prose.flatMap((file) => turnsIn(file, read(file)).map((turn) => `${file}:${turn}`))
  assert.deepEqual(found, [])
})

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...withoutCode(read(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```/gm, '')
}

test('every link between documents leads to a file, and to a heading where it names one', () => {
  const isThere = (path: string): boolean =>
    files.includes(path) || files.some((file) => file.startsWith(`${path.replace(/\/$/, '')}/`))
  const broken = documents.flatMap((file) =>
    [...withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return []
      const [path = '', anchor] = target.split('#')
      const to = path === '' ? file : posix.join(posix.dirname(file), path)
      const leads = isThere(to) && (anchor === undefined || anchorsOf(to).includes(anchor))
      return leads ? [] : [`${file}: ${target}`]
    }),
  )
  assert.deepEqual(broken, [])
})

test('every path that a document or a comment names exists', () => {
  const named =
    /(?:`|@see )((?:src|test|docs|scripts|bench|demo)\/[\w./-]+\.[a-z]+|docs\/[\w/-]+\.md)/g
  const stale = [...documents, ...sources.filter((file) => file.startsWith('src/'))].flatMap(
    (file) =>
      [...read(file).matchAll(named)].flatMap(([, path = '']) =>
        files.includes(path) ? [] : [`${file}: ${path}`],
      ),
  )
  assert.deepEqual(stale, [])
})

test('the index of documents names each of them', () => {
  const index = read('docs/README.md')
  const missing = documents
    .filter((file) => file.startsWith('docs/') && !/^docs\/(adr\/0|README)/.test(file))
    .filter((file) => !index.includes(`](${file.slice('docs/'.length)})`))
  assert.deepEqual(missing, [])
})

test('the references name each setting and each command, and no others', () => {
  const settings = read('docs/reference/settings.md')
  const listed = new Set([...settings.matchAll(/`(TRENT_[A-Z0-9_]+)/g)].map(([, name]) => name))
  const declared = new Set(
    [
      'src/config.ts',
      'src/console/setting.ts',
      'src/audit/delivery/settings.ts',
      'src/backup/settings.ts',
      'src/seals/setting.ts',
      'src/tls/setting.ts',
      'src/tls/test-api-setting.ts',
      'src/tls/xks-proxy-setting.ts',
      'src/tls/unseal-setting.ts',
      'src/keystores/external/settings.ts',
      'src/keystores/hsm/settings.ts',
      'src/operator/setting.ts',
      'src/store/postgres/settings.ts',
    ].flatMap((file) => [...read(file).matchAll(/'(TRENT_[A-Z0-9_]+)'/g)].map(([, name]) => name)),
  )
  assert.deepEqual(listed, declared)
  const commands = read('docs/reference/commands.md')
  const declaring = files.filter((file) => /^src\/(main|cli\/[a-z-]+-commands)\.ts$/.test(file))
  const named = declaring.map(read).join('\n')
  const unnamed = [...named.matchAll(/\.command\('([a-z-]+)/g)].filter(
    ([, name]) => !new RegExp(`^\\| \`trent (?:[a-z-]+ )?${name}\\b`, 'm').test(commands),
  )
  // A command with commands of its own has no line.
  const groups = new Set(['account', 'sessions', 'service', 'clock', 'convert'])
  assert.deepEqual(
    unnamed.map(([, name = '']) => name).filter((name) => !groups.has(name)),
    [],
  )
})
