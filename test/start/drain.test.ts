/** Nodes that are taken out of a deployment: drained, or given up when they are lost. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateKeyCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { deliveredRecords } from '../audit/delivery/delivered.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { end, serve, temporaryFolder, trentEnded } from './serve-process.ts'
import { eventually, metric, readiness, startNode, type Node } from './node-process.ts'

const [version = 0] = testedVersions

interface Shown {
  readonly nodeId: string
  readonly state: string
  readonly self: boolean
  readonly silentSeconds: number
  readonly positions: readonly { readonly stream: string }[]
}

/** The answer of `trent node list` on the node's machine. */
async function listed(run: Command): Promise<readonly Shown[]> {
  const { stdout, stderr, code } = await run(['node', 'list', '--json'])
  assert.equal(code, 0, stderr)
  return (JSON.parse(stdout) as { readonly nodes: readonly Shown[] }).nodes
}

type Command = (words: readonly string[]) => ReturnType<typeof trentEnded>

/** Runs commands with the settings of a node. */
function commandsOf(
  t: Parameters<typeof trentEnded>[0],
  node: Node,
  settings: Readonly<Record<string, string>>,
): Command {
  const own = { ...settings, TRENT_DATA_DIR: join(node.folder, 'data') }
  return (words) => trentEnded(t, [...words], own, node.folder)
}

/** Returns the ids of the requests. */
async function use(client: KMSClient, KeyId: string | undefined, times: number): Promise<string[]> {
  const ids: string[] = []
  for (let time = 0; time < times; time += 1) {
    const encrypt = new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })
    ids.push((await client.send(encrypt)).$metadata.requestId ?? '')
  }
  return ids
}

test('a drained node delivers all, blocks nobody, and is refused', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const archive = temporaryFolder(t)
  const settings = {
    TRENT_DATABASE_URL: url,
    TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
    TRENT_AUDIT_DIR: archive,
    TRENT_WORKERS: '2',
  }
  const a = await startNode(t, settings)
  const onA = commandsOf(t, a, settings)
  // Alone, it is drained only if that is meant.
  const alone = await onA(['node', 'drain'])
  assert.equal(alone.code, 1)
  assert.match(alone.stderr, /^trent: .*no other node serves calls: `--last` drains this one/)
  assert.equal((await readiness(a))['status'], 'ready')

  const b = await startNode(t, settings)
  const onB = commandsOf(t, b, settings)
  const { KeyMetadata } = await b.client.send(new CreateKeyCommand({}))
  const ids = await use(b.client, KeyMetadata?.KeyId, 5)
  const before = await listed(onA)
  assert.deepEqual(
    before.map(({ state }) => state),
    ['serving', 'serving'],
  )
  const second = before.find(({ self }) => !self)
  assert.ok(second)
  assert.equal(second.positions.length, 2)
  assert.match(second.positions[0]?.stream ?? '', new RegExp(`^${second.nodeId}-worker-`))
  // A node that runs is not given up.
  const running = await onA(['node', 'retire', second.nodeId, '--yes'])
  assert.equal(running.code, 1)
  assert.match(running.stderr, /is running: `trent node drain` on its machine/)

  const drained = await onB(['node', 'drain'])
  assert.equal(drained.code, 0, `${drained.stderr}${b.stderr()}`)
  assert.match(drained.stdout, /is drained: everything is delivered\. It does not start again/)
  assert.deepEqual(await b.ended, { code: 0, signal: null })
  const found = (await deliveredRecords(archive)).map(({ requestID }) => requestID)
  for (const id of ids) assert.ok(found.includes(id), `the call ${id} is not delivered`)
  assert.deepEqual(
    await admin(
      `SELECT count(*)::int AS n FROM delivery_files WHERE node_id = '${second.nodeId}' AND delivered = 0`,
    ),
    [{ n: 0 }],
  )
  assert.equal((await listed(onA)).find(({ nodeId }) => nodeId === second.nodeId)?.state, 'drained')

  // It is refused in one line, with its own id.
  const again = await onB(['serve'])
  assert.equal(again.code, 1)
  assert.equal(
    again.stderr,
    `trent: this node (${second.nodeId}) was drained and serves no more: start with an empty data ` +
      'directory\n',
  )
  // The root key belongs to one node again.
  const rotated = await onA(['rotate-root'])
  assert.equal(rotated.code, 0, rotated.stderr)
})

test('a node that cannot deliver is not drained, and goes on', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const seal = `file:${join(temporaryFolder(t), 'seal.key')}`
  const settings = { TRENT_DATABASE_URL: url, TRENT_SEAL: seal }
  await startNode(t, settings)
  const s3 = {
    ...settings,
    TRENT_AUDIT_BUCKET: 'somewhere',
    TRENT_S3_ENDPOINT: 'http://127.0.0.1:9',
    TRENT_S3_ACCESS_KEY_ID: 'CIEXAMPLE',
    TRENT_S3_SECRET_ACCESS_KEY: 'secret',
  }
  const b = await startNode(t, s3)
  await b.client.send(new CreateKeyCommand({}))
  const refused = await commandsOf(t, b, s3)(['node', 'drain'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /\d+ files are not delivered: the node goes on/)
  assert.equal((await readiness(b))['status'], 'ready')
  await b.client.send(new CreateKeyCommand({}))
})

test('a lost node is reported with its last position until it is given up', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const seal = `file:${join(temporaryFolder(t), 'seal.key')}`
  const settings = { TRENT_DATABASE_URL: url, TRENT_SEAL: seal }
  const a = await startNode(t, settings)
  const b = await startNode(t, settings)
  const onA = commandsOf(t, a, settings)
  const lost = (await listed(onA)).find(({ self }) => !self)
  assert.ok(lost)
  // Stopped in the middle of everything, and it comes back later.
  b.child.kill('SIGSTOP')
  await eventually(90_000, async () => {
    await sleep(2000)
    const line = new RegExp(
      `^trent_node_silent_seconds\\{node="${lost.nodeId}",name="[^"]+",stream="${lost.nodeId}-worker-0",segment="1",offset="\\d+"\\} (\\d+)`,
      'm',
    )
    return Number(await metric(a, line)) >= 60
  })
  const unsure = await onA(['node', 'retire', lost.nodeId])
  assert.equal(unsure.code, 1)
  assert.match(unsure.stderr, /To give it up, add --yes/)
  // A change that committed, and whose record is in no journal of a node that serves.
  const gone = await onA(['node', 'retire', lost.nodeId, '--yes'])
  assert.equal(gone.code, 0, gone.stderr)
  assert.match(gone.stdout, new RegExp(`${lost.nodeId}-worker-0: segment 1, offset \\d+`))
  const counted = /^trent_nodes\{state="gone"\} (\d)/m
  await eventually(5000, async () => (await metric(a, counted)) === '1')
  assert.equal(await metric(a, /^trent_node_silent_seconds\{.*\} (\d+)/m), '')
  const twice = await onA(['node', 'retire', lost.nodeId, '--yes'])
  assert.match(twice.stderr, /is gone already/)
  const unknown = await onA(['node', 'retire', '0123456789abcdef', '--yes'])
  assert.match(unknown.stderr, /there is no node 0123456789abcdef/)

  // When it continues, none of its changes commits, and it ends.
  const heads = 'SELECT seq FROM change_head'
  const before = await admin(heads)
  const change = b.client.send(new CreateKeyCommand({})).then(
    () => 'changed',
    () => 'refused',
  )
  b.child.kill('SIGCONT')
  assert.equal(await change, 'refused')
  assert.deepEqual(await b.ended, { code: 1, signal: null })
  assert.deepEqual(await admin(heads), before)
  await assert.rejects(
    serve(t, b.folder, settings),
    /this node \([0-9a-f]{16}\) was given up as lost and serves no more/,
  )
  assert.deepEqual(await end(a, 'SIGTERM'), { code: 0, signal: null })
})
