/**
 * A real standby that goes and comes back, under a node that requires it and one that does not: what callers,
 * readiness, metrics and `trent status` say, and that no change is answered that only the primary has.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { CreateAliasCommand, CreateKeyCommand, ListAliasesCommand } from '@aws-sdk/client-kms'
import { installedPostgres } from '../store/postgres/postgres-binaries.ts'
import { startPair, type PostgresPair } from '../store/postgres/postgres-pair.ts'
import { skip, testedVersions } from '../store/postgres/shared-server.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { eventually, metric, readiness, refusedWith, startNode, type Node } from './node-process.ts'
import { temporaryFolder, trentEnded } from './serve-process.ts'

const [version = 0] = testedVersions
const binaries = installedPostgres().find((each) => each.version === version)
const stepMaxMs = 120_000

type Rows = readonly Readonly<Record<string, unknown>>[]

interface Place {
  readonly pair: PostgresPair
  /** Requires a synchronous standby. */
  readonly strict: Node
  readonly lenient: Node
  readonly settings: Readonly<Record<string, string>>
  readonly KeyId: string
  /** Statements of the superuser, on the primary. */
  readonly admin: (statements: string) => Promise<Rows>
  /** What a cluster manager does when a standby comes or goes. */
  readonly require: (names: '' | '*') => Promise<void>
}

async function startPlace(t: TestContext): Promise<Place> {
  assert.ok(binaries)
  const pair = await startPair(t, binaries)
  const { superuser, password, primary } = pair
  const address = { superuser, password, port: primary.port }
  const admin = (statements: string): Promise<Rows> => asSuperuser(address, 'postgres', statements)
  await admin('CREATE DATABASE trent')
  const require = async (names: '' | '*'): Promise<void> => {
    await admin(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await admin('SELECT pg_reload_conf()')
  }
  await require('*')
  const settings = {
    TRENT_DATABASE_URL: `postgres://${superuser}:${password}@127.0.0.1:${primary.port}/trent`,
    TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
  }
  const lenient = await startNode(t, settings)
  const strict = await startNode(t, { ...settings, TRENT_REQUIRE_SYNCHRONOUS: 'true' })
  const { KeyMetadata } = await lenient.client.send(new CreateKeyCommand({}))
  return { pair, strict, lenient, settings, KeyId: KeyMetadata?.KeyId ?? '', admin, require }
}

async function shows(
  { settings }: Place,
  t: TestContext,
  node: Node,
  state: string,
): Promise<void> {
  const line = new RegExp(`^trent_replication\\{state="${state}"\\} (\\d)$`, 'm')
  await eventually(stepMaxMs, async () => (await metric(node, line)) === '1')
  assert.equal((await readiness(node))['replication'], state)
  const own = { ...settings, TRENT_DATA_DIR: join(node.folder, 'data') }
  const { stdout, stderr } = await trentEnded(t, ['status'], own, node.folder)
  assert.equal(stderr, '', node.stderr().slice(-4000))
  assert.match(stdout, new RegExp(`\\b${state}\\b`))
}

const isReady = async (node: Node): Promise<boolean> =>
  (await readiness(node))['status'] === 'ready'

async function aliases({ lenient }: Place): Promise<readonly string[]> {
  const { Aliases = [] } = await lenient.client.send(new ListAliasesCommand({}))
  return Aliases.flatMap(({ AliasName = '' }) =>
    AliasName.startsWith('alias/aws/') ? [] : AliasName,
  )
}

test(
  'a standby that is gone is told of, and counts only where it is required',
  { skip },
  async (t) => {
    const place = await startPlace(t)
    const { pair, strict, lenient, KeyId, admin, require } = place
    const change = ({ client }: Node, name: string): Promise<string> =>
      refusedWith(
        client.send(new CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: KeyId })),
      )
    for (const node of [strict, lenient]) await shows(place, t, node, 'synchronous')

    // It is gone, and every commit waits for it. The wait of one is cancelled.
    const bringBack = await pair.takeStandby()
    let answered: string | undefined
    const asked = change(strict, 'waited').then((name) => (answered = name))
    const waits = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query ~ 'COMMIT'`
    await eventually(stepMaxMs, async () => (await admin(waits)).length > 0)
    await admin(`SELECT pg_cancel_backend(pid) FROM (${waits}) AS waiting`)
    for (const node of [strict, lenient]) await shows(place, t, node, 'degraded')
    await eventually(stepMaxMs, async () => !(await isReady(strict)) && !(await isReady(lenient)))
    assert.notEqual(answered, 'no error', 'a cancelled wait was answered as done')

    // It is back.
    await bringBack()
    for (const node of [strict, lenient]) await shows(place, t, node, 'synchronous')
    for (const node of [strict, lenient]) await eventually(stepMaxMs, () => isReady(node))
    if ((await asked) === 'no error') assert.ok((await aliases(place)).includes('alias/waited'))
    assert.equal(await change(strict, 'back'), 'no error')

    // Without strict mode, a cluster manager requires no standby while there is none.
    await require('')
    for (const node of [strict, lenient]) await shows(place, t, node, 'degraded')
    assert.equal(await change(lenient, 'asynchronous'), 'no error')
    const late = change(strict, 'late')
    await require('*')
    assert.equal(await late, 'no error', 'a new standby is waited for')
    for (const node of [strict, lenient]) await shows(place, t, node, 'synchronous')

    await require('')
    await pair.takeStandby()
    for (const node of [strict, lenient]) await shows(place, t, node, 'single')
    assert.equal(await change(lenient, 'alone'), 'no error')
    await eventually(stepMaxMs, async () => !(await isReady(strict)))
    assert.match(String((await readiness(strict))['reasons']), /replication is single/)
    assert.notEqual(await change(strict, 'refused'), 'no error')
    const made = await aliases(place)
    for (const name of ['back', 'asynchronous', 'late', 'alone'])
      assert.ok(made.includes(`alias/${name}`))
    assert.ok(!made.includes('alias/refused'))
  },
)
