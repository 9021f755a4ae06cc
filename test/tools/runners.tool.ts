/** The module for tests in JavaScript under Jest and Vitest: the page's example, and a suite that uses all of it. @module */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { testingPageBlock } from '../release/testing-page.ts'
import { root } from '../start/serve-process.ts'
import { programsIn } from './programs.ts'

const runners = await programsIn('runners')
const { skip } = runners
let release = ''

before(() => {
  if (skip !== false) return
  release = mkdtempSync(join(runners.folder, 'release-'))
  const script = join(root, 'scripts/release.mjs')
  execFileSync(process.execPath, [script, '--without-console', '--package-only', release])
})
after(() => {
  if (release !== '') rmSync(release, { recursive: true, force: true })
})

/** Uses each member. `beforeAll`, `afterAll`, `test`, `expect` and what it imports stand before it. */
const everything = `
const keyId = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const key = { keyId, region: 'eu-central-1', aliases: ['alias/app'] }
const seed = { accounts: [{ accountId: '111122223333', keys: [key] }] }
const settings = { TRENT_ACCOUNT_ID: '111122223333', TRENT_REGION: 'eu-central-1' }
const trent = useTrent({ seed, settings }, { beforeAll, afterAll })
const kmsOf = (server) => new KMSClient({ ...server.clientConfig, maxAttempts: 1 })
const encrypt = new EncryptCommand({ KeyId: 'alias/app', Plaintext: Buffer.from('hello') })
const count = async (server) => (await kmsOf(server).send(new ListKeysCommand({}))).Keys.length

test('the seed, the clock and the log', async () => {
  expect(trent.accountId).toBe('111122223333')
  expect(trent.region).toBe('eu-central-1')
  expect(trent.environment.AWS_ENDPOINT_URL).toBe(trent.url)
  const { CiphertextBlob } = await kmsOf(trent).send(encrypt)
  const before = await trent.clock.now()
  const later = await trent.clock.advance('366d')
  expect(later - before).toBeGreaterThanOrEqual(366 * 86400000)
  const { Plaintext } = await kmsOf(trent).send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(Plaintext).toString()).toBe('hello')
  expect((await trent.clock.set('2040-01-01T00:00:00Z')).getUTCFullYear()).toBe(2040)
  await expect(trent.clock.advance('soon')).rejects.toThrow(/refused clock/)
  expect(trent.log()).toMatch(/the file is applied/)
})

test('faults happen as often as they say', async () => {
  await trent.faults.set([{ operations: ['Encrypt'], error: 'ThrottlingException', count: 1 }])
  expect(await trent.faults.list()).toHaveLength(1)
  await expect(kmsOf(trent).send(encrypt)).rejects.toMatchObject({ name: 'ThrottlingException' })
  await kmsOf(trent).send(encrypt)
  await trent.faults.set([{ operations: ['*'], error: 'KMSInternalException' }])
  await trent.faults.clear()
  await kmsOf(trent).send(encrypt)
})

test('a further seed, and a reset to the first one', async () => {
  const second = { keyId: keyId.replace('dc', 'dd'), region: 'eu-central-1' }
  await trent.seed({ accounts: [{ accountId: '111122223333', keys: [second] }] })
  expect(await count(trent)).toBe(2)
  await expect(trent.seed({ acounts: [] })).rejects.toThrow(/acounts/)
  await trent.reset()
  expect(await count(trent)).toBe(1)
})

test('several servers at once know nothing of each other', async () => {
  const others = await Promise.all([startTrent(), startTrent(), startTrent({ seed, settings })])
  expect(new Set([trent, ...others].map(({ url }) => url)).size).toBe(4)
  expect(await Promise.all(others.map(count))).toEqual([0, 0, 1])
  await Promise.all(others.map((server) => server.stop()))
  for (const { url } of others) await expect(fetch(url)).rejects.toThrow()
  await kmsOf(trent).send(encrypt)
})

test('a refused start says why', async () => {
  await expect(startTrent({ settings: { TRENT_REGION: 'nowhere' } })).rejects.toThrow(/TRENT_REGION: nowhere/)
})
`
const used = {
  '@trent-kms/trent/testing': '{ startTrent, useTrent }',
  '@aws-sdk/client-kms': '{ KMSClient, EncryptCommand, DecryptCommand, ListKeysCommand }',
}
const required = Object.entries(used).map(([from, names]) => `const ${names} = require('${from}')`)
const imported = Object.entries(used).map(([from, names]) => `import ${names} from '${from}'`)

/** Without globals, a suite has to pass the hooks. */
const bare = `
import { expect, test } from 'vitest'
import { useTrent } from '@trent-kms/trent/testing'
test('the hooks are asked for', () => {
  expect(() => useTrent()).toThrow(/pass its hooks: useTrent/)
})
`

/** One server for the whole suite, which its files reach by the environment. */
const shared = `
  const trent = await startTrent()
  Object.assign(process.env, trent.environment)
  return () => trent.stop()
}
`
const sharing = `
test('the server of the whole suite answers', async () => {
  expect((await fetch(process.env.AWS_ENDPOINT_URL + '/readyz')).status).toBe(200)
})
`

/** A project with the package as npm unpacks it, and these files. Its folders above have the other packages. */
function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(runners.folder, 'project-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const installed = join(folder, 'node_modules/@trent-kms/trent')
  mkdirSync(installed, { recursive: true })
  const packed = readdirSync(release).find((name) => name.endsWith('.tgz')) ?? assert.fail()
  const unpack = ['-xzf', join(release, packed), '--strip-components=1', '-C', installed]
  execFileSync('tar', unpack)
  const given = { 'trent.yaml': testingPageBlock('yaml', 'accounts:'), ...files }
  for (const [name, text] of Object.entries(given)) writeFileSync(join(folder, name), text)
  return folder
}

/** Runs a suite to its end. No server and no folder of one is left. */
function passes(folder: string, program: string, parameters: readonly string[]): string {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...rest } = process.env
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary, { recursive: true })
  const ran = spawnSync(process.execPath, [join(runners.folder, program), ...parameters], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...rest, TMPDIR: temporary, CI: 'true', NO_COLOR: '1' },
  })
  const output = ran.stdout + ran.stderr
  assert.equal(ran.status, 0, output)
  const left = readdirSync(temporary).filter((name) => name.startsWith('trent-'))
  assert.deepEqual(left, [])
  return output
}

test('Jest: one call starts a server for each file, and all of it works', { skip }, (t) => {
  const folder = project(t, {
    'package.json': '{ "private": true }',
    'jest.config.js': "module.exports = { globalSetup: './start.js', globalTeardown: './stop.js' }",
    'start.js': `const { startTrent } = require('@trent-kms/trent/testing')
module.exports = async () => {
  globalThis.stopTrent = await start()
}
async function start() {${shared}`,
    'stop.js': 'module.exports = () => globalThis.stopTrent()',
    'keys.test.js': testingPageBlock('js', 'useTrent'),
    'everything.test.js': [...required, everything].join('\n'),
    'shared.test.js': sharing,
  })
  const output = passes(folder, 'node_modules/jest/bin/jest.js', ['--ci', '--maxWorkers=2'])
  assert.match(output, /^Test Suites: 3 passed, 3 total$/m)
  assert.match(output, /^Tests: +8 passed, 8 total$/m)
  assert.doesNotMatch(output, /did not exit|open handles/i)
})

test('Vitest: the same, with its globals and without', { skip }, (t) => {
  const folder = project(t, {
    'package.json': '{ "private": true, "type": "module" }',
    'vitest.config.js': "export default { test: { globalSetup: './start.js', maxWorkers: 2 } }",
    'start.js': `import { startTrent } from '@trent-kms/trent/testing'
export default async function () {${shared}`,
    'keys.test.js': testingPageBlock('js', 'useTrent'),
    'everything.test.js': [
      "import { afterAll, beforeAll, expect, test } from 'vitest'",
      ...imported,
      everything,
    ].join('\n'),
    'shared.test.js': `import { expect, test } from 'vitest'\n${sharing}`,
  })
  const program = 'node_modules/vitest/vitest.mjs'
  const output = passes(folder, program, ['run', '--globals'])
  assert.match(output, /Test Files +3 passed \(3\)/)
  assert.match(output, /Tests +8 passed \(8\)/)
  rmSync(join(folder, 'keys.test.js'))
  writeFileSync(join(folder, 'bare.test.js'), bare)
  const without = passes(folder, program, ['run'])
  assert.match(without, /Tests +7 passed \(7\)/)
})
