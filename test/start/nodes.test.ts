/** Several nodes of one deployment, as processes on one database in PostgreSQL. @module */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { advance } from '../compat/test-clock.ts'
import { callOperator } from '../../src/operator/client.ts'
import { startProxy } from '../store/postgres/faulty-proxy.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { end, temporaryFolder } from './serve-process.ts'
import { eventually, metric, readiness, refusedWith, startNode, type Node } from './node-process.ts'

interface Answer {
  readonly seal?: { readonly generation: number; readonly former?: { readonly state: string } }
}

const [version = 0] = testedVersions
const Plaintext = Buffer.from('hello')

test('two first starts at one moment make one deployment', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const seal = join(temporaryFolder(t), 'seal.key')
  const settings = { TRENT_DATABASE_URL: url, TRENT_SEAL: `file:${seal}` }
  const [a, b] = await Promise.all([startNode(t, settings), startNode(t, settings)])
  assert.deepEqual(
    await admin(
      'SELECT count(*)::int AS n, (SELECT count(*)::int FROM accounts) AS a FROM deployment',
    ),
    [{ n: 1, a: 1 }],
  )
  const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const { CiphertextBlob } = await b.client.send(new EncryptCommand({ KeyId, Plaintext }))
  const { Plaintext: opened } = await a.client.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened ?? []), Plaintext)

  // Each has its own id, which it keeps, and streams of its own under this id.
  const ids = [a, b].map(({ folder }) => readFileSync(join(folder, 'data', 'node'), 'utf8').trim())
  const rows = await admin('SELECT node_id, state FROM nodes ORDER BY node_id')
  assert.deepEqual(
    rows,
    ids.toSorted().map((node_id) => ({ node_id, state: 'serving' })),
  )
  for (const [index, node] of [a, b].entries()) {
    assert.ok(existsSync(join(node.folder, 'data', 'journal', `${ids[index]}-worker-0`)))
    assert.equal((await readiness(node))['replication'], 'single')
    assert.equal(await metric(node, /^trent_replication\{state="single"\} (\d)$/m), '1')
    assert.deepEqual(await end(node, 'SIGTERM'), { code: 0, signal: null })
    // The other node's streams are no concern of this one.
    const [ownStream] = ids.slice(index, index + 1)
    const list = readFileSync(join(node.folder, 'data', 'journal', 'writers.json'), 'utf8')
    assert.ok(list.includes(`${ownStream}-worker-0`))
    assert.ok(!list.includes(`${ids[1 - index]}-worker-0`))
  }
  assert.deepEqual(await admin('SELECT count(*)::int AS n FROM audit_outbox'), [{ n: 0 }])
})

test(
  'nodes take a new root key one step after another, and nobody notices',
  { skip },
  async (t) => {
    const { url, admin } = await testDatabase(t, version)
    const seal = join(temporaryFolder(t), 'seal.key')
    const settings = { TRENT_DATABASE_URL: url, TRENT_SEAL: `file:${seal}` }
    const [a, b] = [await startNode(t, settings), await startNode(t, settings)]
    const ask = async (node: Node, operation: string, input?: object): Promise<Answer> =>
      (await callOperator(join(node.folder, 'data'), operation, input)) as Answer
    const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId
    const { CiphertextBlob } = await a.client.send(new EncryptCommand({ KeyId, Plaintext }))
    const over = new AbortController()
    let calls = 0
    const load = [a, b].map(async ({ client }) => {
      while (!over.signal.aborted) {
        const made = await client.send(new CreateKeyCommand({}))
        const input = { KeyId: made.KeyMetadata?.KeyId, Plaintext }
        const sealed = await client.send(new EncryptCommand(input))
        for (const each of [a, b]) {
          await each.client.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))
        }
        calls += 1
        await sleep(100)
      }
    })
    await ask(a, 'BeginRekey', { rotate: true })
    await assert.rejects(
      ask(a, 'RetireRootKeys', { endSessions: true }),
      /does not know the current root key|have just turned|still under a former/,
    )
    // A node that comes in the middle of it knows both.
    const c = await startNode(t, settings)
    const nodes = [a, b, c]
    for (const node of nodes) {
      await eventually(60_000, async () => {
        const { seal: state } = await ask(node, 'GetStatus')
        return state?.generation === 2 && state.former?.state === 'rewrapped'
      })
    }
    const keys =
      'SELECT DISTINCT oldest_key::int AS o, known_key::int AS k, current_key::int AS c FROM nodes'
    assert.deepEqual(await admin(keys), [{ o: 1, k: 2, c: 2 }])
    await eventually(60_000, () =>
      ask(b, 'RetireRootKeys', { endSessions: true }).then(
        () => true,
        () => false,
      ),
    )
    await eventually(20_000, async () => (await admin(keys)).length === 1)
    await eventually(20_000, async () => (await admin(keys))[0]?.['o'] === 2)
    over.abort()
    await Promise.all(load)
    assert.ok(calls > 0)
    for (const node of nodes) {
      assert.equal((await ask(node, 'GetStatus')).seal?.former, undefined)
      const opened = await node.client.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
      assert.equal(await metric(node, /^trent_forged_total\{what="row"\} (\d+)$/m), '0')
      assert.deepEqual(await end(node, 'SIGTERM'), { code: 0, signal: null })
    }
    const again = await startNode(t, settings)
    await again.client.send(new DecryptCommand({ CiphertextBlob }))
  },
)

test('a notification brings a change to the other node', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const seal = join(temporaryFolder(t), 'seal.key')
  // The bound is long, so that a slow machine never refuses.
  const settings = {
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${seal}`,
    TRENT_FRESHNESS_SECONDS: '60',
  }
  const a = await startNode(t, settings)
  const b = await startNode(t, settings)
  const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const encrypt = (): Promise<unknown> => b.client.send(new EncryptCommand({ KeyId, Plaintext }))
  await encrypt()
  /** When the last confirmation of `b` was sent, or before. */
  const confirmedAt = async (): Promise<number> => {
    const seconds = Number(await metric(b, /^trent_freshness_seconds ([\d.]+)$/m))
    return performance.now() - seconds * 1000
  }
  // A confirmation brings changes too, each second. One that was sent before the change does not.
  let notified = 0
  for (let round = 0; round < 20 && notified < 3; round += 1) {
    for (const [change, expected] of [
      [new DisableKeyCommand({ KeyId }), 'DisabledException'],
      [new EnableKeyCommand({ KeyId }), 'no error'],
    ] as const) {
      const since = performance.now()
      await a.client.send(change)
      await eventually(30_000, async () => (await refusedWith(encrypt())) === expected)
      if ((await confirmedAt()) < since) notified += 1
    }
  }
  assert.ok(notified >= 3, `${notified} changes came by a notification alone`)
})

test('a node that was stopped for a while decides nothing by what it knew', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const seal = join(temporaryFolder(t), 'seal.key')
  const settings = {
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${seal}`,
    TRENT_FRESHNESS_SECONDS: '1',
  }
  const a = await startNode(t, settings)
  const b = await startNode(t, settings)
  const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const encrypt = (): Promise<unknown> => b.client.send(new EncryptCommand({ KeyId, Plaintext }))
  await eventually(5000, async () => (await refusedWith(encrypt())) === 'no error')
  for (let round = 0; round < 3; round += 1) {
    b.child.kill('SIGSTOP')
    await a.client.send(new DisableKeyCommand({ KeyId }))
    await sleep(1500)
    // These calls begin more than the bound after the change, and wait for the process.
    const calls = Array.from({ length: 10 }, () => refusedWith(encrypt()))
    await sleep(50)
    b.child.kill('SIGCONT')
    for (const name of await Promise.all(calls)) {
      assert.ok(
        ['DisabledException', 'ServiceUnavailableException', 'KMSInternalException'].includes(name),
        name,
      )
    }
    await eventually(5000, async () => (await refusedWith(encrypt())) === 'DisabledException')
    await a.client.send(new EnableKeyCommand({ KeyId }))
    await eventually(5000, async () => (await refusedWith(encrypt())) === 'no error')
  }
})

test('a node that is cut off refuses within the bound, and recovers', { skip }, async (t) => {
  const { url, port } = await testDatabase(t, version)
  const proxy = await startProxy(t, port)
  const seal = join(temporaryFolder(t), 'seal.key')
  const settings = { TRENT_SEAL: `file:${seal}`, TRENT_FRESHNESS_SECONDS: '2' }
  const a = await startNode(t, { ...settings, TRENT_DATABASE_URL: url })
  const cut = url.replace(`:${port}/`, `:${proxy.port}/`)
  const b = await startNode(t, { ...settings, TRENT_DATABASE_URL: cut })
  const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const encrypt = (): Promise<unknown> => b.client.send(new EncryptCommand({ KeyId, Plaintext }))
  await eventually(5000, async () => (await refusedWith(encrypt())) === 'no error')

  proxy.loseRequests()
  await a.client.send(new DisableKeyCommand({ KeyId }))
  const since = performance.now()
  let lastOld = 0
  await eventually(10_000, async () => {
    const begun = performance.now() - since
    const name = await refusedWith(encrypt())
    if (name === 'no error') lastOld = begun
    return name === 'ServiceUnavailableException'
  })
  assert.ok(
    lastOld <= 2000,
    `a call that began ${lastOld} ms after the change was decided by old state`,
  )
  const { status, reasons } = await readiness(b)
  assert.equal(status, 'not ready')
  assert.match(String(reasons), /this node must not decide calls: it has not confirmed for \d+ s/)
  assert.ok(Number(await metric(b, /^trent_freshness_seconds ([\d.]+)$/m)) >= 2)
  assert.equal(await metric(b, /^trent_ready (\d)$/m), '0')

  proxy.heal()
  await eventually(15_000, async () => (await refusedWith(encrypt())) === 'DisabledException')
  await eventually(5000, async () => (await readiness(b))['status'] === 'ready')
})

test(
  'a use on one node counts at once for a deletion that is asked of another',
  { skip },
  async (t) => {
    const { url } = await testDatabase(t, version)
    const seal = join(temporaryFolder(t), 'seal.key')
    const settings = {
      TRENT_DATABASE_URL: url,
      TRENT_SEAL: `file:${seal}`,
      TRENT_TEST_API: 'on',
      TRENT_WORKERS: '2',
    }
    const a = await startNode(t, settings)
    const b = await startNode(t, settings)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'kms:ScheduleKeyDeletion',
          Resource: '*',
          Condition: { NumericLessThan: { 'kms:TrailingDaysWithoutKeyUsage': '2' } },
        },
      ],
    })
    const keys: string[] = []
    for (let made = 0; made < 4; made += 1) {
      const create = new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true })
      keys.push((await a.client.send(create)).KeyMetadata?.KeyId ?? '')
    }
    for (const node of [a, b]) await advance(node.url, '3d')
    const remove = (KeyId: string | undefined): Promise<string> =>
      refusedWith(b.client.send(new ScheduleKeyDeletionCommand({ KeyId })))
    const use = (KeyId: string | undefined): Promise<unknown> =>
      a.client.send(new EncryptCommand({ KeyId, Plaintext }))
    const [used, idle, last, unused] = keys
    await use(used)
    assert.equal(await remove(used), 'AccessDeniedException')
    assert.equal(await remove(idle), 'no error')
    // A node that does not answer may have used any key until now.
    await use(last)
    a.child.kill('SIGSTOP')
    assert.equal(await remove(last), 'AccessDeniedException')
    assert.equal(await remove(unused), 'AccessDeniedException')
    a.child.kill('SIGCONT')
    await eventually(5000, async () => (await refusedWith(use(unused))) === 'no error')
    assert.equal(await remove(last), 'AccessDeniedException')
  },
)
