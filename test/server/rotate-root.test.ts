/**
 * A new root key while the server runs: everything moves under it, calls go on, and afterwards the former one
 * opens nothing.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import { GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { verifyLog } from '../../src/cli/verify-log.ts'
import { callOperator } from '../../src/operator/client.ts'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openAlone } from '../../src/seals/seal.ts'
import { deploymentUnder } from '../../src/server/root-key.ts'
import { readDeployment, type DeploymentRecord } from '../../src/store/tables/deployment.ts'
import { openDatabase } from '../../src/store/open.ts'
import { realRandom } from '../crypto/fixed.ts'
import { sqliteOnly, startTestServer, type TestServer } from '../harness.ts'
import { verify } from '../cli/verified.ts'
import { assertOpens, encrypted, fill, protectors } from './filled.ts'

const skip = sqliteOnly('reads the file of SQLite')

interface Status {
  readonly journal: { readonly keys: readonly string[] }
  readonly seal: SealStatus
  readonly deletedMaterials: { readonly gone: number; readonly shredded: number }
}

async function statusOf(server: TestServer): Promise<Status> {
  return (await callOperator(server.directory, 'GetStatus')) as Status
}

async function rotate(server: TestServer): Promise<unknown> {
  return callOperator(server.directory, 'BeginRekey', { rotate: true })
}

async function rewrapped(server: TestServer): Promise<Status> {
  for (let tries = 0; tries < 600; tries += 1) {
    const status = await statusOf(server)
    if (status.seal.former?.state === 'rewrapped') return status
    await delay(50)
  }
  throw new Error('not everything was wrapped anew')
}

const retire = async (server: TestServer, endSessions = true): Promise<unknown> =>
  callOperator(server.directory, 'RetireRootKeys', { endSessions })

async function deploymentIn(directory: string): Promise<DeploymentRecord> {
  const database = await openDatabase({ path: join(directory, 'trent.db') })
  const record = await readDeployment(database)
  await database.close()
  assert.ok(record)
  return record
}

async function opened(t: TestContext): Promise<TestServer> {
  const server = await startTestServer()
  t.after(() => server.stop())
  return server
}

test('everything moves under a new root key while calls go on', { skip }, async (t) => {
  const server = await opened(t)
  const made = await fill(server)
  assert.deepEqual(await statusOf(server).then(({ seal }) => seal.generation), 1)
  const over = new AbortController()
  let calls = 0
  const load = (async () => {
    while (!over.signal.aborted) {
      const { KeyMetadata } = await server.client().send(new CreateKeyCommand({}))
      const CiphertextBlob = await encrypted(server, KeyMetadata?.KeyId)
      await server.client().send(new DecryptCommand({ CiphertextBlob }))
      calls += 1
    }
  })()
  assert.deepEqual(await rotate(server), { stage: 'done', seal: 'file', rotates: true })
  const status = await rewrapped(server)
  over.abort()
  await load
  assert.partialDeepStrictEqual(status.seal, { generation: 2, former: { generations: 1 } })
  assert.ok(calls > 0)
  await assertOpens(server, made)
  await server.stop('keep')
  const versions = protectors(server)
  assert.deepEqual(
    Object.entries(versions).filter(([, each]) => each.join() !== '2'),
    [],
  )
  for (const table of ['keys', 'key_materials', 'access_keys', 'grants', 'aliases', 'users']) {
    assert.ok(table in versions, table)
  }
  assert.deepEqual((await verify(server.directory)).report.findings, [])
  assert.deepEqual(
    server.logged.filter((line) => /forged|fails to open/.test(line)),
    [],
  )
})

test(
  'after former root keys are retired, they open nothing, and the deleted is shredded',
  { skip },
  async (t) => {
    const first = await opened(t)
    const made = await fill(first)
    await assert.rejects(retire(first), /there is no former root key/)
    await first.stop('keep')
    const { directory } = first
    const record = await deploymentIn(directory)
    const seal = fileSeal(join(directory, 'seal.key'), realRandom)
    const former = await openAlone(seal, record.seal.sealedRootKey, record.deploymentId)
    const server = await startTestServer({}, { directory })
    t.after(() => server.stop())

    const token = async () => {
      const asked = new STSClient({
        region: 'us-east-1',
        endpoint: server.url,
        credentials: made.userKey,
      })
      const { Credentials } = await asked.send(new GetSessionTokenCommand({}))
      asked.destroy()
      return {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      }
    }
    const describe = (by: Awaited<ReturnType<typeof token>>) =>
      server.client({ credentials: by }).send(new DescribeKeyCommand({ KeyId: made.signingKey }))
    const before = await token()
    await assert.rejects(describe(before), { name: 'AccessDeniedException' })

    await rotate(server)
    assert.deepEqual((await rewrapped(server)).deletedMaterials, {
      ...(await statusOf(server)).deletedMaterials,
      gone: 1,
      shredded: 0,
    })
    // A session from before stays; retiring would end it.
    await assert.rejects(describe(before), { name: 'AccessDeniedException' })
    await assert.rejects(retire(server, false), /sessions may be under a former root key until 20/)
    assert.deepEqual(await retire(server), { generation: 2, retired: 1 })
    await assert.rejects(describe(before), { name: 'UnrecognizedClientException' })
    await assert.rejects(describe(await token()), { name: 'AccessDeniedException' })
    const status = await statusOf(server)
    assert.deepEqual([status.seal.generation, status.seal.former], [2, undefined])
    assert.partialDeepStrictEqual(status.deletedMaterials, { gone: 1, shredded: 1 })
    await assertOpens(server, made)

    await server.stop('keep')
    const present = await deploymentIn(directory)
    assert.deepEqual(
      present.domainKeys.map(({ version }) => version),
      [2],
    )
    assert.throws(
      () => deploymentUnder(former, present),
      /a domain key of this deployment was changed/,
    )
    assert.deepEqual((await verify(directory)).report.findings, [])
    // Checkpoints of the former key still prove the journal, to those who trust the present one.
    const said: string[] = []
    const keys = [...status.journal.keys]
    const output = { write: (text: string) => said.push(text) }
    const log = { directory: join(directory, 'journal'), keys, known: [], json: true, output }
    assert.equal(await verifyLog(log), 0, said.join(''))
    const again = await startTestServer({}, { directory: server.directory })
    t.after(() => again.stop())
    await assertOpens(again, made)
    // A second rotation counts on from the first.
    await rotate(again)
    await rewrapped(again)
    assert.deepEqual(await retire(again), { generation: 3, retired: 1 })
    await assertOpens(again, made)
  },
)

test('a server that stops while it wraps anew goes on at its next start', { skip }, async (t) => {
  const first = await opened(t)
  const made = await fill(first)
  await rotate(first)
  await assert.rejects(retire(first), /data is still under a former root key|^$/)
  await first.stop('keep')
  const second = await startTestServer({}, { directory: first.directory })
  t.after(() => second.stop())
  await rewrapped(second)
  await assertOpens(second, made)
})

test('shares of a new root key are proved before it is in force', async (t) => {
  const server = await startTestServer({ TRENT_SEAL: 'shamir' })
  t.after(() => server.stop())
  const ask = async (operation: string, input?: object) =>
    (await callOperator(server.directory, operation, input)) as {
      readonly stage?: string
      readonly shares?: readonly string[]
    }
  const numbers = { shares: 2, threshold: 2 }
  const { shares: old = [] } = await ask('Initialize', numbers)
  for (const secret of old) await ask('Unseal', { secret })
  await server.server.ready
  const made = await fill(server)
  await assert.rejects(
    ask('BeginRekey', { rotate: true, seal: 'shamir', ...numbers }),
    /name one of a new seal/,
  )
  // The former holders agree first.
  assert.equal((await ask('BeginRekey', { rotate: true, ...numbers })).stage, 'open')
  await ask('ContinueRekey', { secret: old[0] })
  const { shares = [] } = await ask('ContinueRekey', { secret: old[1] })
  assert.equal(shares.length, 2)
  await ask('ContinueRekey', { secret: shares[0] })
  assert.equal((await statusOf(server)).seal.generation, 1)
  assert.partialDeepStrictEqual(await ask('ContinueRekey', { secret: shares[1] }), {
    stage: 'done',
    rotates: true,
  })
  await rewrapped(server)
  await assertOpens(server, made)
  await server.stop('keep')
  const again = await startTestServer({ TRENT_SEAL: 'shamir' }, { directory: server.directory })
  t.after(() => again.stop())
  await assert.rejects(
    callOperator(again.directory, 'Unseal', { secret: old[0] }),
    /is of another seal/,
  )
  for (const secret of shares) await callOperator(again.directory, 'Unseal', { secret })
  await again.server.ready
  await assertOpens(again, made)
})

test('a second rotation before the end of the first wraps everything once more', async (t) => {
  const server = await opened(t)
  const made = await fill(server)
  for (const generation of [2, 3]) {
    await rotate(server)
    // What was wrapped for the root key before says nothing about this one.
    const { former } = (await statusOf(server)).seal
    assert.equal(former?.generations, generation - 1)
    const { seal } = await rewrapped(server)
    assert.equal(seal.generation, generation)
    assert.ok((seal.former?.rewrapped ?? 0) > 0)
  }
  assert.deepEqual(await retire(server), { generation: 3, retired: 2 })
  await assertOpens(server, made)
})

test('a recovery seal of the former root key is void', async (t) => {
  const server = await opened(t)
  const ask = async (operation: string, input?: object) =>
    (await callOperator(server.directory, operation, input)) as {
      readonly shares?: readonly string[]
    }
  const numbers = { recovery: true, shares: 2, threshold: 2 }
  const { shares = [] } = await ask('BeginRekey', numbers)
  for (const secret of shares) await ask('ContinueRekey', { secret })
  assert.equal((await statusOf(server)).seal.recovery, true)
  await rotate(server)
  assert.equal((await statusOf(server)).seal.recovery, false)
  await ask('BeginRekey', numbers)
})
