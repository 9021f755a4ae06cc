/** Operators who are several users of the system: who may come in, and what is recorded of each. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { operatorAs, shownAs } from './own-operator.ts'
import { recordsOf } from './records.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const run = promisify(execFile)

/** Nobody is a member, until a test says so. */
const group = 54_321
/** A user with a name on every system, and one without. */
const daemon = { uid: 1, gid: group }
const nameless = { uid: 54_322, gid: group }
const stranger = { uid: 54_323, gid: 54_323 }
/** What Linux shows for a user of another namespace. */
const overflow = { uid: 65_534, gid: group }

interface Door {
  readonly server: TestServer
  readonly directory: string
  /** Runs `trent` as a user, and returns what it prints. */
  readonly as: (user: typeof daemon, args: readonly string[], input?: string) => Promise<string>
}

function skipped(t: TestContext): boolean {
  if (process.getuid?.() === 0 && process.platform === 'linux') return false
  t.skip('only root can be several users, and only on Linux here')
  return true
}

async function open(
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<Door> {
  const folder = mkdtempSync(join(tmpdir(), 'trent-door-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const directory = join(folder, 'door')
  const server = await startTestServer({
    TRENT_OPERATOR_DIR: directory,
    TRENT_OPERATOR_GROUP: String(group),
    ...settings,
  })
  t.after(() => server.stop())
  return {
    server,
    directory,
    async as(user, args, input) {
      const child = run(process.execPath, [main, ...args], {
        ...user,
        cwd: '/',
        env: { PATH: process.env['PATH'], TRENT_OPERATOR_DIR: directory },
      })
      child.child.stdin?.end(input)
      return (await child).stdout
    },
  }
}

interface Recorded {
  readonly eventName: string
  readonly userIdentity: Readonly<Record<string, unknown>>
}

test('each operator is a user of the system, and on record by number and name', async (t) => {
  if (skipped(t)) return
  const { server, directory, as } = await open(t)
  const socket = statSync(join(directory, 'operator.sock'))
  assert.deepEqual([socket.mode & 0o777, socket.gid], [0o660, group])
  await as(daemon, ['account', 'create', '--id', '222233334444'])
  await as(nameless, ['account', 'create', '--id', '333344445555'])
  await callOperator(directory, 'CreateAccount', { accountId: '444455556666' })
  const records = (await recordsOf(server.directory)) as unknown as readonly Recorded[]
  const made = records.filter(
    ({ eventName, userIdentity }) =>
      eventName === 'CreateAccount' && userIdentity['type'] === 'Operator',
  )
  const identity = (uid: number, userName: string): object => ({
    type: 'Operator',
    principalId: `operator/${uid}`,
    arn: `arn:aws:trent::${accountId}:operator/${userName}`,
    accountId,
    userName,
    ...(operatorAs(uid).loginName !== undefined && {
      sessionContext: { sourceIdentity: operatorAs(uid).loginName },
    }),
  })
  assert.deepEqual(
    made.map(({ userIdentity }) => userIdentity),
    [identity(1, 'daemon'), identity(54_322, '54322'), identity(0, 'root')],
  )
  const lines = server.logged.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines.flatMap(({ operator, operation, msg }) =>
      msg === 'an operator called' ? [`${String(operator)} ${String(operation)}`] : [],
    ),
    [1, 54_322, 0].map((uid) => `${shownAs(uid)} CreateAccount`),
  )
})

test('who is not in the group does not come in, and the data directory stays closed', async (t) => {
  if (skipped(t)) return
  const { server, as } = await open(t)
  await assert.rejects(as(stranger, ['account', 'create']), /EACCES/)
  assert.equal(statSync(server.directory).mode & 0o777, 0o700)
  const records = (await recordsOf(server.directory)) as unknown as readonly Recorded[]
  assert.ok(records.every(({ userIdentity }) => userIdentity['type'] !== 'Operator'))
})

test('an operator whom the system does not name changes nothing, and is on record as unknown', async (t) => {
  if (skipped(t)) return
  const { server, as } = await open(t)
  await as(overflow, ['status'])
  await assert.rejects(as(overflow, ['account', 'create']), /does not say which user calls/)
  const records = (await recordsOf(server.directory)) as unknown as readonly Recorded[]
  const told = records.filter(({ userIdentity }) => userIdentity['type'] === 'Operator')
  assert.deepEqual(
    told.map(({ eventName, userIdentity }) => [eventName, userIdentity['principalId']]),
    [['GetStatus', 'unknown-operator']],
  )
  const sealed = await open(t, { TRENT_SEAL: 'shamir' })
  assert.match(await sealed.as(overflow, ['status']), /sealed: true/)
  await assert.rejects(sealed.as(overflow, ['init']), /does not say which user calls/)
})

test('shares are given at two terminals at once, and status says by whom', async (t) => {
  if (skipped(t)) return
  const { server, directory, as } = await open(t, { TRENT_SEAL: 'shamir' })
  const made = await as(daemon, ['init', '--shares', '3', '--threshold', '2', '--json'])
  const { shares } = JSON.parse(made) as { shares: readonly [string, string, string] }
  const give = (user: typeof daemon, share: string): Promise<string> =>
    as(user, ['unseal', '--from', '-'], `${share}\n`)
  const [forged] = await Promise.allSettled([
    give(daemon, shares[0].replace(/:[0-9a-f]{4}/, ':0000')),
    give(nameless, shares[1]),
    give(daemon, shares[2]),
  ])
  assert.match(String(forged.status === 'rejected' && forged.reason), /mistyped/)
  const status = (await callOperator(directory, 'GetStatus')) as { seal: object }
  const givers = [shownAs(54_322), shownAs(1)]
  assert.partialDeepStrictEqual(status.seal, { given: [2, 3], givers, needed: 3 })
  // Giving a share again counts it once, and its first giver stays.
  assert.match(await give(nameless, shares[2]), /2 of 3 .*: 2 by 54322 .*; 3 by daemon/)
  assert.match(await give(daemon, shares[0]), /the root key is open/)
  await server.server.ready
  const records = (await recordsOf(server.directory)) as unknown as readonly (Recorded & {
    readonly serviceEventDetails?: object
  })[]
  const begun = records.find(({ eventName }) => eventName === 'InitializeRootKey')
  assert.deepEqual(begun?.serviceEventDetails, { operator: shownAs(1) })
  const opened = records.find(({ eventName }) => eventName === 'UnsealRootKey')
  assert.partialDeepStrictEqual(opened?.serviceEventDetails, {
    shares: [1, 2, 3],
    givers: [shownAs(1), ...givers],
    refused: 1,
  })
})

test('a directory that exists is not changed, and a symbolic link is no directory', async (t) => {
  if (skipped(t)) return
  const folder = mkdtempSync(join(tmpdir(), 'trent-door-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const settings = { TRENT_OPERATOR_GROUP: String(group) }
  const directory = join(folder, 'door')
  mkdirSync(directory, { mode: 0o700 })
  const start = (path: string): Promise<TestServer> =>
    startTestServer({ ...settings, TRENT_OPERATOR_DIR: path })
  await assert.rejects(start(directory), /the group does not enter/)
  assert.deepEqual([statSync(directory).mode & 0o777, statSync(directory).gid], [0o700, 0])
  chmodSync(directory, 0o755)
  const server = await start(directory)
  assert.deepEqual([statSync(directory).mode & 0o777, statSync(directory).gid], [0o755, 0])
  assert.equal(statSync(join(directory, 'operator.sock')).gid, group)
  await server.stop()
  const link = join(folder, 'link')
  symlinkSync(directory, link)
  await assert.rejects(start(link), /link is not a directory/)
})

test('a directory where others could put another socket is refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trent-door-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const directory = join(folder, 'door')
  mkdirSync(directory)
  for (const mode of [0o770, 0o757]) {
    chmodSync(directory, mode)
    const refused = startTestServer({ TRENT_OPERATOR_DIR: directory })
    await assert.rejects(refused, /others than the server may write to/)
  }
  if (skipped(t)) return
  chmodSync(directory, 0o750)
  chownSync(directory, stranger.uid, group)
  await assert.rejects(startTestServer({ TRENT_OPERATOR_DIR: directory }), /must belong to the/)
})

test('a group that does not exist, or without a directory for its socket, is refused', async () => {
  const wrong = { TRENT_OPERATOR_GROUP: 'no-such-group-here' }
  await assert.rejects(
    startTestServer({ ...wrong, TRENT_OPERATOR_DIR: join(tmpdir(), 'trent-never-made') }),
    /there is no group no-such-group-here/,
  )
  await assert.rejects(startTestServer(wrong), /needs TRENT_OPERATOR_DIR/)
  await assert.rejects(startTestServer({ TRENT_OPERATOR_GROUP: 'a b' }), /name or the number/)
})
