/** What a restore refuses, and what it does with an interrupted one. @module */
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DisableKeyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { filesBelow, isLog, jsonOf } from '../audit/delivery/delivered.ts'
import { advance } from '../compat/test-clock.ts'
import { flipped } from '../crypto/fixed.ts'
import { refusal } from '../start/refusal.ts'
import { end, freePort, serve, temporaryFolder, trent, trentEnded } from '../start/serve-process.ts'
import { clientsOf, decrypts, failsWith, lostServer, newKey, root } from './lost-server.ts'

test('a change that the log cannot repeat is named, and accepted only by name', async (t) => {
  const { backup, journal, restore, there, settings, blob } = await lostServer(
    t,
    ({ kms }, KeyId) => {
      const statement = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
      return kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    },
  )
  const refused = await restore(backup, '--journal', journal)
  assert.match(refused.stderr, /^trent: [^\n]+: PutKeyPolicy \(change \d+\)[^\n]+\n$/)
  const accepted = await restore(backup, '--journal', journal, '--accept-resurrection')
  assert.equal(accepted.code, 0, accepted.stderr)
  assert.match(accepted.stdout, /may be back/)
  await decrypts(clientsOf(t, await serve(t, there, settings)), blob)
})

test('a damaged, cut, foreign or wrong-seal backup, and a foreign journal, are refused', async (t) => {
  const { backup, folder, restore, restoring, there, journal } = await lostServer(t, (clients) =>
    newKey(clients),
  )
  const bytes = readFileSync(backup)
  const written = (name: string, content: Uint8Array): string => {
    const path = join(folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const other = await lostServer(t, () => Promise.resolve())
  for (const [parameters, why] of [
    [[written('damaged', flipped(bytes, bytes.length - 60))], /damaged/],
    [[written('cut', bytes.subarray(0, -41))], /damaged/],
    [[written('no-backup', Buffer.alloc(500))], /not a backup of Trent/],
    [[backup, '--seal-key', written('other.key', Buffer.alloc(32, 1))], /does not open/],
    [[other.backup], /does not open/],
    [[backup, '--recovery'], /no recovery seal/],
    [[backup, '--journal', other.journal], /is of deployment/],
    [[backup, '--journal', join(folder, 'none')], /none is missing/],
    [[join(folder, 'none')], /none cannot be read: ENOENT/],
    [['-'], /reads it twice/],
  ] as const) {
    const { code, stdout, stderr } = await restore(...parameters, '--accept-resurrection')
    assert.deepEqual([code, stdout], [1, ''], stderr)
    assert.match(stderr, /^trent: [^\n]+\n$/)
    assert.match(stderr, why)
    assert.equal(existsSync(join(there, 'data', 'trent.db')), false, stderr)
  }
  // A journal in which somebody wrote is not believed.
  const forged = join(folder, 'forged')
  cpSync(journal, forged, { recursive: true })
  const [segment = ''] = readdirSync(forged, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.seg'),
  )
  const path = join(forged, segment)
  writeFileSync(path, flipped(readFileSync(path), 600))
  const { stderr } = await restore(backup, '--journal', forged)
  assert.match(stderr, /^trent: the journal in [^\n]+ is not whole: [^\n]+\n$/)
  assert.equal(
    (await trentEnded(t, ['restore', backup, '--journal', journal], restoring, there)).code,
    0,
  )
})

test('a copy of the journal from before the backup says nothing about what followed', async (t) => {
  const folder = temporaryFolder(t)
  const seal = join(folder, 'seal.key')
  const settings = { ...root, TRENT_SEAL: `file:${seal}` }
  const journal = join(folder, 'data', 'journal')
  const early = join(folder, 'early')
  // Each stop writes a checkpoint.
  for (let start = 0; start < 2; start += 1) {
    const server = await serve(t, folder, settings)
    await newKey(clientsOf(t, server))
    await end(server, 'SIGTERM')
    if (start === 0) cpSync(journal, early, { recursive: true })
  }
  const server = await serve(t, folder, settings)
  const taking = { ...freePort(folder), ...settings }
  assert.equal((await trentEnded(t, ['backup', 'backup'], taking, folder)).code, 0)
  await newKey(clientsOf(t, server))
  await end(server, 'SIGKILL')
  const there = temporaryFolder(t)
  const restore = (from: string) =>
    trentEnded(
      t,
      ['restore', join(folder, 'backup'), '--journal', from],
      { ...freePort(there), ...settings },
      there,
    )
  assert.match((await restore(early)).stderr, /no journal goes on with worker-0; or type/)
  const { code, stderr } = await restore(journal)
  assert.equal(code, 0, stderr)
})

test('delivered files say what was taken away, and it stays away', async (t) => {
  const archive = temporaryFolder(t)
  const { backup, restore, there, settings, blob } = await lostServer(
    t,
    async (clients, KeyId, _ask, url) => {
      await clients.kms.send(new DisableKeyCommand({ KeyId }))
      await advance(url, '6m')
      await newKey(clients)
      await advance(url, '6m')
    },
    { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive },
  )
  const empty = join(there, 'empty')
  mkdirSync(empty)
  assert.match((await restore(backup, '--delivered', empty)).stderr, /would come back/)
  // Without the file that says it, the others show that it is missing.
  const file = join(archive, await fileWith(archive, 'DisableKey'))
  const content = readFileSync(file)
  rmSync(file)
  assert.match((await restore(backup, '--delivered', archive)).stderr, /lacks \d+ changes/)
  writeFileSync(file, 'not gzip')
  assert.match((await restore(backup, '--delivered', archive)).stderr, /cannot be read/)
  assert.equal(existsSync(join(there, 'data', 'trent.db')), false)
  // Whoever skips a link could miss the end of the log.
  const moved = join(there, 'moved')
  writeFileSync(moved, content)
  rmSync(file)
  symlinkSync(moved, file)
  assert.match((await restore(backup, '--delivered', archive)).stderr, /: this is a link, or /)
  rmSync(file)
  writeFileSync(file, content)
  const restored = await restore(backup, '--delivered', archive)
  assert.equal(restored.code, 0, restored.stderr)
  const after = clientsOf(t, await serve(t, there, settings))
  await failsWith(decrypts(after, blob), 'DisabledException')
})

/** The delivered file that holds a record of this event. */
async function fileWith(archive: string, event: string): Promise<string> {
  for (const name of (await filesBelow(archive)).filter(isLog)) {
    const { Records } = await jsonOf<{ Records: readonly { eventName: string }[] }>(archive, name)
    if (Records.some(({ eventName }) => eventName === event)) return name
  }
  return assert.fail(`no delivered file holds ${event}`)
}

test('a restore that was killed leaves a deployment that no start takes', async (t) => {
  const { backup, restoring, restore, there, journal, settings } = await lostServer(
    t,
    async (clients) => {
      for (let n = 0; n < 200; n += 1) await newKey(clients)
    },
  )
  let killed = 0
  for (let round = 0; round < 6; round += 1) {
    const running = trent(t, ['restore', backup, '--journal', journal], restoring, there)
    const log = join(there, 'data', 'trent.db-wal')
    const written = (): number => statSync(log, { throwIfNoEntry: false })?.size ?? 0
    while (written() < 480_000 + round * 40_000 && running.child.exitCode === null) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    await end(running, 'SIGKILL')
    const { code, stdout, stderr } = await restore(backup, '--journal', journal)
    if (/did not finish/.test(stderr)) {
      killed += 1
      assert.match(
        await refusal(t, there, settings),
        /^\S+trent\.db has rows and no deployment, [^\n]+: move it away/,
      )
    } else assert.ok(code === 0 || /holds a deployment/.test(stderr), stderr + stdout)
    for (const name of ['trent.db', 'trent.db-wal'])
      rmSync(join(there, 'data', name), { force: true })
  }
  t.diagnostic(`${killed} of 6 were killed half-way`)
  assert.ok(killed > 0)
})

test('a backup from before the root key was replaced is restored with the log from after it', async (t) => {
  const { backup, journal, restore, there, settings, blob } = await lostServer(
    t,
    async (clients, key, ask) => {
      await newKey(clients)
      await ask('BeginRekey', { rotate: true })
      for (;;) {
        const { seal } = (await ask('GetStatus')) as { readonly seal: SealStatus }
        if (seal.former?.state === 'rewrapped') break
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await clients.kms.send(new DisableKeyCommand({ KeyId: key }))
    },
  )
  const { code, stderr } = await restore(backup, '--journal', journal)
  assert.equal(code, 0, stderr)
  const server = await serve(t, there, settings)
  await failsWith(decrypts(clientsOf(t, server), blob), 'DisabledException')
})
