/** `npm start` as a whole: everything it starts is in its process group, and ends with it. @module */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, requireInstalled, root, temporaryFolder } from './serve-process.ts'

/** What is waited for here comes, or the test fails. */
const bounded = { timeout: 60_000 }

interface Process {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly isDead: boolean
}

function processes(): readonly Process[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = 0, parent = 0, group = 0] = line.trim().split(/\s+/).map(Number)
      // With an `l` some of its threads are still ending, and hold what it had open.
      return { pid, parent, group, isDead: /\sZ[^l\s]*$/.test(line) }
    })
}

/** Every process that `pid` has started, and those that they have. */
function descendants(pid: number, all = processes()): readonly Process[] {
  const children = all.filter(({ parent }) => parent === pid)
  return children.flatMap((child) => [child, ...descendants(child.pid, all)])
}

function alive(pids: readonly number[]): readonly number[] {
  const living = new Set(processes().flatMap(({ pid, isDead }) => (isDead ? [] : [pid])))
  return pids.filter((pid) => living.has(pid))
}

async function untilDead(pids: readonly number[]): Promise<void> {
  while (alive(pids).length > 0) await delay(20)
}

interface Started {
  readonly npm: ChildProcess
  readonly group: number
  readonly port: number
  /** There while the server runs, and after a death that was not clean. */
  readonly socketPath: string
  /** Whatever runs, npm first. */
  readonly pids: readonly number[]
}

async function npmStart(t: TestContext): Promise<Started> {
  requireInstalled()
  const folder = temporaryFolder(t)
  // A group of its own, as a shell with job control gives it.
  const npm = spawn('npm', ['start'], {
    cwd: root,
    detached: true,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      npm_config_update_notifier: 'false',
      ...freePort(folder),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = npm.pid ?? assert.fail('npm did not start')
  const gone = once(npm, 'close')
  t.after(async () => {
    try {
      process.kill(-group, 'SIGKILL')
    } catch (error) {
      // ESRCH: the group is gone, as it should be.
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ESRCH')
    }
    await gone
  })
  let stderr = ''
  npm.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  let stdout = ''
  npm.stdout.setEncoding('utf8')
  for await (const text of npm.stdout.iterator({ destroyOnReturn: false })) {
    stdout += String(text)
    if (stdout.includes('aws kms encrypt')) break
  }
  npm.stdout.resume()
  const port = Number(/^Trent is ready on http:\/\/127\.0\.0\.1:(\d+)/m.exec(stdout)?.[1])
  assert.ok(port > 0, stdout + stderr)
  const started = descendants(group)
  assert.ok(started.length > 0)
  assert.deepEqual([...new Set(started.map((each) => each.group))], [group])
  const socketPath = join(folder, 'data', 'operator.sock')
  assert.ok(existsSync(socketPath))
  return { npm, group, port, socketPath, pids: [group, ...started.map(({ pid }) => pid)] }
}

async function assertNobodyListens(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port })
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' })
}

test('all that npm start starts is in its process group, and dies with it', bounded, async (t) => {
  const { group, port, pids } = await npmStart(t)
  process.kill(-group, 'SIGKILL')
  await untilDead(pids)
  await assertNobodyListens(port)
})

test('Ctrl-C, which npm passes on as well, stops the server cleanly', bounded, async (t) => {
  const { group, port, pids, socketPath } = await npmStart(t)
  process.kill(-group, 'SIGINT')
  await untilDead(pids)
  await assertNobodyListens(port)
  assert.ok(!existsSync(socketPath))
})

test('SIGTERM to npm alone reaches the server', bounded, async (t) => {
  const { npm, port, pids, socketPath } = await npmStart(t)
  npm.kill('SIGTERM')
  await untilDead(pids)
  await assertNobodyListens(port)
  assert.ok(!existsSync(socketPath))
})

test('bin/trent.js passes on what it is sent and how the command has ended', bounded, async (t) => {
  requireInstalled()
  const folder = temporaryFolder(t)
  const command = spawn(process.execPath, [join(root, 'bin', 'trent.js'), 'serve'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...freePort(folder) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => command.kill('SIGKILL'))
  const closed = once(command, 'close')
  await once(command.stdout, 'data')
  const pids = descendants(command.pid ?? 0).map(({ pid }) => pid)
  assert.equal(pids.length, 1)
  command.kill('SIGTERM')
  assert.deepEqual(await closed, [0, null])
  assert.deepEqual(alive(pids), [])
})
