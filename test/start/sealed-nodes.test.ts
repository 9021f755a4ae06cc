/** Several nodes of one deployment that people unseal, on one database in PostgreSQL. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { callOperator } from '../../src/operator/client.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { end, freePort, ready, temporaryFolder, trent, type Running } from './serve-process.ts'
import { eventually } from './node-process.ts'

const [version = 0] = testedVersions
const numbers = { shares: 2, threshold: 2 }

interface Answer {
  readonly shares?: readonly string[]
  readonly stage?: string
  readonly seal?: {
    readonly initialized?: boolean
    readonly generation?: number
    readonly former?: { readonly state: string }
  }
}

interface SealedNode {
  readonly running: Running
  /** Starts it again, with the same data directory. */
  readonly start: () => Promise<SealedNode>
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  readonly giveAll: (operation: string, secrets: readonly string[] | undefined) => Promise<Answer>
}

/** Starts a node, and waits until its door answers. */
async function startSealed(
  t: TestContext,
  url: string,
  folder = temporaryFolder(t),
): Promise<SealedNode> {
  const settings = { ...freePort(folder), TRENT_DATABASE_URL: url, TRENT_SEAL: 'shamir' }
  const running = trent(t, ['serve'], settings, folder)
  const ask: SealedNode['ask'] = async (operation, input) =>
    (await callOperator(join(folder, 'data'), operation, input)) as Answer
  await eventually(30_000, () =>
    ask('GetStatus').then(
      // Before it has chosen its seal, it takes no shares.
      (status) => 'seal' in status,
      () => false,
    ),
  )
  return {
    running,
    ask,
    start: () => startSealed(t, url, folder),
    async giveAll(operation, secrets = []) {
      let last: Answer = {}
      for (const secret of secrets) last = await ask(operation, { secret })
      return last
    },
  }
}

test('a sealed node finds the root key that another node makes', { skip }, async (t) => {
  const { url } = await testDatabase(t, version)
  const [a, b] = await Promise.all([startSealed(t, url), startSealed(t, url)])
  assert.equal((await b.ask('GetStatus')).seal?.initialized, false)
  const { shares } = await a.ask('Initialize', numbers)
  await eventually(20_000, async () => (await b.ask('GetStatus')).seal?.initialized === true)
  await a.giveAll('Unseal', shares)
  await b.giveAll('Unseal', shares)
  await Promise.all([ready(a.running), ready(b.running)])
})

test('a node that stayed sealed opens with the shares of a newer root key', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const a = await startSealed(t, url)
  const { shares: former } = await a.ask('Initialize', numbers)
  await a.giveAll('Unseal', former)
  await ready(a.running)

  const b = await startSealed(t, url)
  await a.ask('BeginRekey', { rotate: true, ...numbers })
  const { shares } = await a.giveAll('ContinueRekey', former)
  assert.equal((await a.giveAll('ContinueRekey', shares)).stage, 'done')
  await eventually(30_000, async () => {
    const { seal } = await a.ask('GetStatus')
    return seal?.former?.state === 'rewrapped'
  })
  await a.ask('RetireRootKeys', { endSessions: true })

  await assert.rejects(b.giveAll('Unseal', former), /is of another seal/)
  await b.giveAll('Unseal', shares)
  await ready(b.running)
  assert.deepEqual(await admin('SELECT state FROM nodes'), [
    { state: 'serving' },
    { state: 'serving' },
  ])
})

test('a node that people unseal takes a new root key at its next start', { skip }, async (t) => {
  const { url, admin } = await testDatabase(t, version)
  const a = await startSealed(t, url)
  const { shares: former } = await a.ask('Initialize', numbers)
  await a.giveAll('Unseal', former)
  await ready(a.running)
  const b = await startSealed(t, url)
  await b.giveAll('Unseal', former)
  await ready(b.running)

  await a.ask('BeginRekey', { rotate: true, ...numbers })
  const { shares } = await a.giveAll('ContinueRekey', former)
  await a.giveAll('ContinueRekey', shares)
  const stateOf = async (): Promise<string | undefined> =>
    (await a.ask('GetStatus')).seal?.former?.state
  assert.equal(await stateOf(), 'waiting')
  const keys = 'SELECT known_key::int AS k, current_key::int AS c FROM nodes ORDER BY known_key'
  await eventually(10_000, async () => (await admin(keys))[1]?.['k'] === 2)
  assert.deepEqual(await admin(keys), [
    { k: 1, c: 1 },
    { k: 2, c: 1 },
  ])
  await assert.rejects(a.ask('RetireRootKeys', { endSessions: true }), /does not know the current/)
  await assert.rejects(
    a.ask('BeginRekey', { rotate: true, ...numbers }),
    /does not know the current/,
  )

  await end(b.running, 'SIGTERM')
  const again = await b.start()
  await eventually(20_000, async () => (await again.ask('GetStatus')).seal?.initialized === true)
  await assert.rejects(again.giveAll('Unseal', former), /is of another seal/)
  await again.giveAll('Unseal', shares)
  await ready(again.running)
  await eventually(60_000, async () => (await stateOf()) === 'rewrapped')
  // Each says so at its next confirmation.
  await eventually(10_000, async () => (await admin(keys)).every(({ k, c }) => k === 2 && c === 2))
})
