/**
 * A database that went back under several nodes: a standby is promoted that lacks acknowledged changes, and
 * other changes get their numbers.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { installedPostgres } from '../store/postgres/postgres-binaries.ts'
import { startPair } from '../store/postgres/postgres-pair.ts'
import { skip, testedVersions } from '../store/postgres/shared-server.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { end, serve, temporaryFolder, trentEnded } from './serve-process.ts'
import { eventually, readiness, refusedWith, startNode, type Node } from './node-process.ts'

const [version = 0] = testedVersions
const binaries = installedPostgres().find((each) => each.version === version)
const Plaintext = Buffer.from('x')

interface Lost {
  readonly changes: readonly { readonly name: string; readonly effect: string }[]
  readonly reused: number
  readonly unnamed: number
  readonly unread: readonly string[]
  readonly accepted: boolean
}

test(
  'after a standby is promoted three changes short, nothing stale is decided',
  { skip },
  async (t) => {
    assert.ok(binaries)
    const { superuser, password, primary, standby, replication } = await startPair(t, binaries)
    const address = { superuser, password, port: standby.port }
    await asSuperuser({ ...address, port: primary.port }, 'postgres', 'CREATE DATABASE trent')
    const hosts = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`
    const settings = {
      TRENT_DATABASE_URL: `postgres://${superuser}:${password}@${hosts}/trent`,
      TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
    }
    const a = await startNode(t, settings)
    const b = await startNode(t, settings)
    const keys: string[] = []
    for (let made = 0; made < 3; made += 1) {
      const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
      keys.push(KeyMetadata?.KeyId ?? '')
    }
    const encrypt = ({ client }: Node, KeyId: string | undefined): Promise<string> =>
      refusedWith(client.send(new EncryptCommand({ KeyId, Plaintext })))
    const head = (port: number): Promise<unknown> =>
      asSuperuser({ ...address, port }, 'trent', 'SELECT seq::int, change_id FROM change_head')
    const same = async (): Promise<boolean> =>
      JSON.stringify(await head(primary.port)) === JSON.stringify(await head(standby.port))
    await eventually(20_000, same)
    for (const node of [a, b])
      for (const key of keys) assert.equal(await encrypt(node, key), 'no error')

    // Three changes that the standby never gets.
    replication.loseAnswers()
    const [first, second, third] = keys
    await a.client.send(new DisableKeyCommand({ KeyId: first }))
    await a.client.send(new ScheduleKeyDeletionCommand({ KeyId: second, PendingWindowInDays: 7 }))
    await a.client.send(new DisableKeyCommand({ KeyId: third }))
    for (const key of keys) {
      await eventually(5000, async () => (await encrypt(b, key)) !== 'no error')
    }
    assert.equal(await same(), false)
    // Both have confirmed since, and so they keep it through a restart.
    await sleep(2500)

    primary.process.kill('SIGQUIT')
    await asSuperuser(address, 'postgres', 'SELECT pg_promote()')
    // A node that knows of nothing makes others under the same numbers.
    const c = await startNode(t, settings)
    for (let made = 0; made < 3; made += 1) await c.client.send(new CreateKeyCommand({}))

    // Neither node decides by the state that has come back, at any moment.
    const until = performance.now() + 8000
    while (performance.now() < until) {
      for (const node of [a, b]) {
        for (const key of keys) assert.notEqual(await encrypt(node, key), 'no error')
      }
      await sleep(200)
    }
    for (const node of [a, b]) {
      const { reasons } = await readiness(node)
      assert.match(String(reasons), /the database lacks changes that this node has applied/)
    }

    // Nor after a restart: one has the changes in its journal, the other one took them in.
    const lines: string[] = []
    for (const node of [a, b]) {
      await end(node, 'SIGKILL')
      const refused = await serve(t, node.folder, settings).then(
        () => 'it started',
        (error: unknown) => String(error),
      )
      lines.push(refused)
    }
    assert.match(
      lines[0] ?? '',
      /is behind the audit journal, it lacks 3 records of changes \d+ to/,
    )
    assert.match(
      lines[1] ?? '',
      /is behind this node, it lacks 0 records of change \d+, naming no key/,
    )

    const accept = async (node: Node, ...given: readonly string[]): Promise<Lost> => {
      const own = { ...settings, TRENT_DATA_DIR: join(node.folder, 'data') }
      const words = ['database', 'accept-loss', '--json', ...given]
      const { stdout, stderr } = await trentEnded(t, words, own, node.folder)
      assert.equal(stderr, '')
      return JSON.parse(stdout) as Lost
    }
    const listed = await accept(a)
    assert.deepEqual(
      listed.changes.map(({ name, effect }) => [name, effect]),
      [
        ['DisableKey', 'again'],
        ['ScheduleKeyDeletion', 'again'],
        ['DisableKey', 'again'],
      ],
    )
    assert.deepEqual([listed.reused, listed.unread.length, listed.accepted], [3, 2, false])
    // The other node took them in, and has a record of none: the journal of the first one has.
    const alone = await accept(b)
    assert.deepEqual([alone.changes, alone.unnamed, alone.unread.length], [[], 1, 2])
    const others = ['--journal', join(a.folder, 'data', 'journal')]
    const both = await accept(b, ...others)
    assert.deepEqual([both.changes, both.unnamed, both.unread.length], [listed.changes, 0, 1])
    assert.equal(await encrypt(c, first), 'no error')
    assert.equal((await accept(b, ...others, '--yes')).accepted, true)

    // The node that serves takes it in; the others start again, and decide by it.
    const refusals = ['DisabledException', 'KMSInvalidStateException', 'DisabledException']
    const decides = async (node: Node): Promise<boolean> => {
      const names: string[] = []
      for (const key of keys) names.push(await encrypt(node, key))
      return JSON.stringify(names) === JSON.stringify(refusals)
    }
    await eventually(5000, () => decides(c))
    for (const node of [a, b]) {
      const serving = await serve(t, node.folder, settings)
      const again: Node = { ...node, ...serving, client: c.client }
      await eventually(5000, async () => (await readiness(again))['status'] === 'ready')
      assert.deepEqual(await end(serving, 'SIGTERM'), { code: 0, signal: null })
      const journal = join(node.folder, 'data', 'journal')
      const verified = await trentEnded(t, ['verify-log', journal], {}, node.folder)
      assert.equal(verified.code, 0, verified.stdout)
    }
    const described = await c.client.send(new DescribeKeyCommand({ KeyId: second }))
    assert.equal(described.KeyMetadata?.KeyState, 'PendingDeletion')
    const records = await asSuperuser(
      address,
      'trent',
      'SELECT (SELECT count(*)::int FROM audit_outbox) AS waiting, count(*)::int AS lost FROM lost_changes',
    )
    assert.deepEqual(records, [{ waiting: 0, lost: 3 }])
  },
)
