/**
 * The drill under load: callers change and use everything before, during and after a backup, until the server is
 * killed. The checker of the failure tests says what a server that is restored from the backup and the log must show.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Login, Who } from '../failures/calls.ts'
import { Caller } from '../failures/caller.ts'
import { judgeHistories, judgeRecords, readAgain } from '../failures/judge.ts'
import { startLoad } from '../failures/load.ts'
import { Memory, type Subject } from '../failures/memory.ts'
import { makeUsers } from '../failures/users.ts'
import { eventually } from '../start/node-process.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Serving,
} from '../start/serve-process.ts'
import { skip } from '../store/postgres/shared-server.ts'
import { cutMemory, readLog, type Cut, type Log, type Position } from './cut-memory.ts'
import { accountId } from './fixed-account.ts'
import { rootCredentials, settingsFor, type Engine } from './lost-server.ts'
import { OneServer } from './one-server.ts'
import { seeded } from './seeded.ts'
import { readMaterial, setAside } from './set-aside.ts'

const seed = 16
/** Calls that are answered before the backup begins, and again after it. */
const calls = 150

interface Lost {
  readonly folder: string
  readonly seal: string
  readonly logins: ReadonlyMap<Who, Login>
  readonly position: Position
  readonly log: Log
  readonly memory: Memory
  /** Keys with imported material. */
  readonly external: readonly Subject[]
}

const settingsOf = async (t: TestContext, engine: Engine, seal: string) => ({
  ...(await settingsFor(t, engine, seal)),
  TRENT_ACCOUNT_ID: accountId,
  // Each refused call is judged by a record of its own.
  TRENT_QUOTA_OVERRIDES: 'RefusedCalls=1000',
})

async function lose(t: TestContext, engine: Engine): Promise<Lost> {
  const folder = temporaryFolder(t)
  const seal = join(folder, 'seal.key')
  const settings = await settingsOf(t, engine, seal)
  const server = await serve(t, folder, settings)
  const logins = new Map<Who, Login>([['root', rootCredentials]])
  const deployment = new OneServer(server.url, logins)
  t.after(() => deployment.destroy())
  const memory = new Memory()
  const caller = new Caller(deployment, memory, seeded(seed))
  await makeUsers(caller, (who, login) => logins.set(who, login))
  const { take, external } = await setAside(caller)
  const load = await startLoad(deployment, memory, {
    seed,
    callers: 8,
    pauseMs: 30,
    entriesMax: 40,
  })
  t.after(() => load.stop())
  const answered = async (more: number): Promise<void> => {
    const wanted = memory.told.length + more
    await eventually(120_000, async () => memory.told.length >= wanted)
  }
  await answered(calls)
  const sealed = memory.sealed.length
  const before = memory.told.length
  const taking = { ...freePort(folder), ...settings }
  const taken = await trentEnded(t, ['backup', 'backup', '--json'], taking, folder)
  assert.equal(taken.code, 0, taken.stderr)
  const { change } = JSON.parse(taken.stdout) as { readonly change: number }
  const during = memory.told.length - before
  assert.ok(during > 0)
  await take()
  await answered(calls)
  await Promise.all([end(server, 'SIGKILL'), load.stop()])
  const journal = join(folder, 'data', 'journal')
  // Whatever was answered is in the log.
  const records = await judgeRecords(memory, [journal])
  assert.deepEqual(memory.findings, [])
  t.diagnostic(`${memory.told.length} calls, ${during} during the backup, ${records} records`)
  const log = await readLog(journal)
  return { folder, seal, logins, position: { change, sealed }, log, memory, external }
}

/**
 * Restores it on another machine. Changes that the log cannot repeat are accepted, such as those of policies.
 * @param log parameters that name the log; without them, whatever was taken away comes back
 */
async function restored(
  t: TestContext,
  engine: Engine,
  { folder, seal }: Lost,
  log: readonly string[],
): Promise<Serving> {
  const there = temporaryFolder(t)
  const settings = await settingsOf(t, engine, seal)
  const parameters = ['restore', join(folder, 'backup'), ...log, '--accept-resurrection']
  const ended = await trentEnded(t, parameters, { ...freePort(there), ...settings }, there)
  assert.equal(ended.code, 0, ended.stderr)
  return await serve(t, there, settings)
}

/** What the checker finds in a restored server. */
async function judged(
  t: TestContext,
  { url }: Serving,
  lost: Lost,
): Promise<Cut & { readonly findings: readonly string[] }> {
  const cut = cutMemory(lost.memory, lost.log, lost.position)
  // A restore ends all sessions.
  for (const { sessions } of cut.memory.roles.all) sessions.length = 0
  const deployment = new OneServer(url, lost.logins)
  t.after(() => deployment.destroy())
  const caller = new Caller(deployment, cut.memory, seeded(seed))
  for (const subject of lost.external) await readMaterial(caller, subject)
  await readAgain(caller, 0)
  const { undecided, registers } = judgeHistories(cut.memory, 0)
  assert.deepEqual(undecided, [])
  t.diagnostic(`${registers} registers, ${cut.memory.sealed.length} ciphertexts`)
  return { ...cut, findings: cut.memory.findings }
}

for (const engine of ['sqlite', 'postgresql'] as const) {
  const options = { skip: engine === 'postgresql' && skip }
  test(
    `${engine}: what was answered is there, and what was taken away stays away`,
    options,
    async (t) => {
      const lost = await lose(t, engine)
      const { memory, removals, findings } = await judged(
        t,
        await restored(t, engine, lost, ['--journal', join(lost.folder, 'data', 'journal')]),
        lost,
      )
      assert.deepEqual(findings, [])
      assert.ok(memory.live.length > 6)
      assert.ok(memory.sealed.length > 10)
      for (const what of ['Disabled', 'PendingDeletion', 'grant', 'iam', 'material']) {
        assert.ok((removals.get(what) ?? 0) > 0, what)
      }
      if (engine === 'postgresql') return
      // The checker would find what came back.
      const blind = (await judged(t, await restored(t, engine, lost, []), lost)).findings
      for (const what of ['state', 'grant', 'iam', 'material']) {
        const found = new RegExp(`^no order explains key \\S+ (\\S+ )?${what}:`)
        assert.ok(
          blind.some((each) => found.test(each)),
          what,
        )
      }
    },
  )
}
