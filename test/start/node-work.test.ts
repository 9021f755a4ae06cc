/** What nodes do for each other: one index of events, and jobs that each of them runs. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  ListKeyRotationsCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { recordsOf } from '../compat/records.ts'
import { advance, setClock } from '../compat/test-clock.ts'
import { by, lookUp, lookUpSoon, trailClient } from '../compat/trails.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { credentials, eventually, metric, startNode, type Node } from './node-process.ts'
import { end, temporaryFolder } from './serve-process.ts'

interface Status {
  readonly clock: { readonly held?: string }
}

const [version = 0] = testedVersions
const Plaintext = Buffer.from('hello')
const dayMs = 86_400_000
/** Long: machines are slow. */
const soonMs = 60_000
const wrongClock = new URL('../jobs/wrong-clock.ts', import.meta.url)

async function makeKeys(node: Node, count: number): Promise<readonly string[]> {
  const made = Array.from({ length: count }, () => node.client.send(new CreateKeyCommand({})))
  return (await Promise.all(made)).map(({ KeyMetadata }) => KeyMetadata?.KeyId ?? '')
}

async function encrypt({ client }: Node, KeyId: string | undefined): Promise<string> {
  const { $metadata } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
  return $metadata.requestId ?? ''
}

/** The keys in a node's records of an event. */
async function keysIn(eventName: string, { folder }: Node): Promise<readonly string[]> {
  const records = await recordsOf(join(folder, 'data'))
  const found = records.filter((record) => record.eventName === eventName)
  return found.map(({ resources }) => resources[0]?.['ARN']?.split('/')[1] ?? '')
}

const stateOf = ({ client }: Node, KeyId: string | undefined): Promise<string | undefined> =>
  client.send(new DescribeKeyCommand({ KeyId })).then(
    ({ KeyMetadata }) => KeyMetadata?.KeyState,
    (error: unknown) => (error as Error).name,
  )

/** @returns the ids of the requests of Encrypt, the latest first */
function encryptsIn(events: Awaited<ReturnType<typeof lookUp>>): readonly string[] {
  return events
    .filter(({ EventName }) => EventName === 'Encrypt')
    .map(({ CloudTrailEvent = '{}' }) => {
      const { requestID = '' } = JSON.parse(CloudTrailEvent) as { readonly requestID?: string }
      return requestID
    })
}

test('two nodes have one index of events, and do each job once', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const settings = {
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
    TRENT_TEST_API: 'on',
    TRENT_FRESHNESS_SECONDS: '300',
    // The test moves the clock on, and reads all records after that.
    TRENT_AUDIT_RETENTION_DAYS: '365',
  }
  const [a, killed] = [await startNode(t, settings), await startNode(t, settings)]
  const trail = trailClient(t, a, { credentials })

  // Events of the other node, and then one that it could not put there before it was killed.
  const [KeyId = ''] = await makeKeys(a, 1)
  const ofKey = by('ResourceName', KeyId)
  const calls = [await encrypt(killed, KeyId), await encrypt(a, KeyId)]
  await lookUpSoon(trail, 3, ofKey)
  await admin('ALTER TABLE event_index_positions RENAME TO away')
  calls.push(await encrypt(killed, KeyId))
  assert.deepEqual(await end(killed, 'SIGKILL'), { code: null, signal: 'SIGKILL' })
  await admin('ALTER TABLE away RENAME TO event_index_positions')
  const without = encryptsIn(await lookUp(trail, ofKey))
  assert.deepEqual(without.toSorted(), calls.slice(0, 2).toSorted())
  const b = await startNode(t, settings, killed.folder)
  const all = encryptsIn(await lookUpSoon(trail, 4, ofKey))
  assert.deepEqual(all.toSorted(), calls.toSorted())
  assert.deepEqual(encryptsIn(await lookUp(trailClient(t, b, { credentials }), ofKey)), all)

  // Both begin what is due at one moment.
  const nodes = [a, b]
  const deleted = await makeKeys(a, 30)
  const rotated = await makeKeys(b, 10)
  for (const one of deleted) {
    await a.client.send(new ScheduleKeyDeletionCommand({ KeyId: one, PendingWindowInDays: 7 }))
  }
  for (const one of rotated) {
    const rotation = { KeyId: one, RotationPeriodInDays: 90 }
    await b.client.send(new EnableKeyRotationCommand(rotation))
  }
  await Promise.all(nodes.map((node) => advance(node.url, '91d')))
  for (const node of nodes) {
    for (const one of deleted) {
      await eventually(soonMs, async () => (await stateOf(node, one)) === 'NotFoundException')
    }
    for (const one of rotated) {
      const list = new ListKeyRotationsCommand({ KeyId: one })
      assert.equal((await node.client.send(list)).Rotations?.length, 1)
    }
    assert.deepEqual(await end(node, 'SIGTERM'), { code: 0, signal: null })
  }
  const recorded = async (eventName: string): Promise<readonly string[]> => {
    const each = await Promise.all(nodes.map((node) => keysIn(eventName, node)))
    t.diagnostic(`${eventName}: ${each.map(({ length }) => length).join(' and ')} by each node`)
    return each.flat().toSorted()
  }
  assert.deepEqual(await recorded('DeleteKey'), deleted.toSorted())
  assert.deepEqual(await recorded('RotateKey'), rotated.toSorted())
})

test(
  'of two nodes, the one with a wrong clock says so and deletes nothing, and the other goes on',
  { skip },
  async (t) => {
    const { url } = await testDatabase(t, version)
    const settings = {
      TRENT_DATABASE_URL: url,
      TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
      TRENT_TEST_API: 'on',
      TRENT_FRESHNESS_SECONDS: '300',
    }
    const right = await startNode(t, settings)
    const wrong = await startNode(t, {
      ...settings,
      NODE_OPTIONS: `--import=${wrongClock.href}`,
      TEST_CLOCK_WRONG_MS: '120000',
    })
    const counted = /^trent_nodes\{state="serving"\} (\d)/m
    const differs = (node: Node): Promise<string> => metric(node, /^trent_clock_differs (\d)$/m)
    const agrees = async (node: Node, nodes: string): Promise<void> => {
      await eventually(soonMs, async () => (await metric(node, counted)) === nodes)
      assert.equal(await differs(node), '0')
      // Nobody goes on from the wrong time.
      assert.ok((await advance(node.url, '0s')) <= Date.now())
    }
    await agrees(right, '2')
    assert.equal(await differs(wrong), '1')
    const why = /^the clock of this node is \d+ seconds ahead of the database's$/
    const status = (await callOperator(join(wrong.folder, 'data'), 'GetStatus')) as Status
    assert.match(status.clock.held ?? '', why)
    const accepted = await callOperator(join(wrong.folder, 'data'), 'AcceptClock')
    assert.match((accepted as Status['clock']).held ?? '', why)

    const [KeyId = ''] = await makeKeys(right, 1)
    const schedule = new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 })
    const due = Number((await right.client.send(schedule)).DeletionDate)
    const later = new Date(due + dayMs).toISOString()
    await setClock(wrong.url, later)
    for (const node of [wrong, right]) {
      assert.equal(await stateOf(node, KeyId), 'PendingDeletion')
    }
    const line = 'nothing is deleted until `trent clock accept`'
    assert.ok(wrong.stderr().includes(line), wrong.stderr())
    await setClock(right.url, later)
    for (const node of [right, wrong]) {
      await eventually(soonMs, async () => (await stateOf(node, KeyId)) === 'NotFoundException')
    }
    const found = await Promise.all([right, wrong].map((node) => keysIn('DeleteKey', node)))
    assert.deepEqual(found, [[KeyId], []])

    const third = await startNode(t, settings)
    await agrees(third, '3')
    assert.deepEqual([await differs(right), await differs(wrong)], ['0', '1'])
  },
)
