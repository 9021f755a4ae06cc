/** The module for tests in JavaScript: in a checkout, in the package, and in a file of node:test. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DecryptCommand, EncryptCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { startTrent, useTrent } from '../../testing/testing.cjs'
import { root, temporaryFolder } from '../start/serve-process.ts'

const keyId = 'bc436485-5092-42b8-92a3-0aa8b93536dc'
const account = '000000000000'
const key = { keyId, region: 'us-west-2', aliases: ['alias/app'] }
const seed = { accounts: [{ accountId: account, keys: [key] }] }

test('a server of the tests has its seed, a clock, faults and a reset, and leaves nothing behind', async (t) => {
  const temporary = temporaryFolder(t)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  const [trent, other] = await Promise.all([startTrent({ seed }), startTrent()])
  t.after(() => Promise.all([trent.stop(), other.stop()]))
  assert.notEqual(trent.url, other.url)
  assert.equal(trent.accountId, account)
  const kms = new KMSClient({ ...trent.clientConfig, maxAttempts: 1 })
  t.after(() => kms.destroy())
  const encrypt = new EncryptCommand({ KeyId: 'alias/app', Plaintext: Buffer.from('hello') })
  const { CiphertextBlob } = await kms.send(encrypt)

  const now = await trent.clock.now()
  const later = await trent.clock.advance('91d')
  assert.ok(later.getTime() - now.getTime() >= 91 * 86_400_000)
  const set = await trent.clock.set('2040-01-01T00:00:00Z')
  assert.equal(set.getUTCFullYear(), 2040)
  await assert.rejects(trent.clock.advance('soon'), /the test API refused clock/)

  await trent.faults.set([{ operations: ['Encrypt'], error: 'KMSInternalException', count: 1 }])
  assert.equal((await trent.faults.list()).length, 1)
  await assert.rejects(kms.send(encrypt), { name: 'KMSInternalException' })
  await kms.send(encrypt)
  await trent.faults.set([{ operations: ['*'], error: 'KMSInternalException' }])
  await trent.faults.clear()
  await kms.send(encrypt)

  const further = { ...key, keyId: 'bc436485-5092-42b8-92a3-0aa8b93536dd', aliases: [] }
  await trent.seed({ accounts: [{ accountId: account, keys: [further] }] })
  const count = async (): Promise<number> =>
    (await kms.send(new ListKeysCommand({}))).Keys?.length ?? 0
  assert.equal(await count(), 2)
  await assert.rejects(trent.seed({ acounts: [] }), /the seed was refused: .*acounts/)
  await trent.reset()
  assert.equal(await count(), 1)
  // The seed gives the key no material, so the new key has another one.
  await assert.rejects(kms.send(new DecryptCommand({ CiphertextBlob })))
  await Promise.all([trent.stop(), other.stop()])
  assert.deepEqual(readdirSync(temporary), [])
  await assert.rejects(fetch(trent.url))
})

test('a refused start rejects with its line', async () => {
  const settings = { TRENT_REGION: 'nowhere' }
  await assert.rejects(startTrent({ settings }), /did not start: trent: TRENT_REGION: nowhere/)
})

test('useTrent takes the hooks that it is given, and what it returns is for tests', async () => {
  const hooks: (() => Promise<void>)[] = []
  const add = (hook: () => Promise<void>): number => hooks.push(hook)
  const trent = useTrent({}, { beforeAll: add, afterAll: add })
  assert.throws(() => trent.url, /not started yet/)
  const [start, stop] = hooks
  await start?.()
  assert.equal((await fetch(`${trent.url}/readyz`)).status, 200)
  await stop?.()
})

test('the package has the module, and one call starts a server for a file of node:test', (t) => {
  const out = temporaryFolder(t)
  execFileSync(
    process.execPath,
    [join(root, 'scripts/release.mjs'), '--without-console', '--package-only', out],
    {
      cwd: root,
    },
  )
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'node_modules/@trent-kms'), { recursive: true })
  symlinkSync(join(out, 'package'), join(folder, 'node_modules/@trent-kms/trent'))
  for (const [file, load] of [
    [
      'module.test.mjs',
      "import { test } from 'node:test'; import { useTrent } from '@trent-kms/trent/testing'",
    ],
    [
      'common.test.cjs',
      "const { test } = require('node:test'); const { useTrent } = require('@trent-kms/trent/testing')",
    ],
  ] as const) {
    writeFileSync(
      join(folder, file),
      `${load}
const trent = useTrent()
test('it is ready', async () => {
  const { status } = await fetch(trent.url + '/readyz')
  if (status !== 200) throw new Error(String(status))
})
`,
    )
  }
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const ran = spawnSync(process.execPath, ['--test'], {
    cwd: folder,
    encoding: 'utf8',
    env: environment,
  })
  assert.equal(ran.status, 0, ran.stdout)
  assert.match(ran.stdout, /pass 2$/m)
  assert.ok(existsSync(join(out, 'package/testing/testing.d.cts')))
})
