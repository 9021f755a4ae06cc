/**
 * The step before every npm script: it installs once, whoever runs it at the same time. It runs here in
 * a small project of its own, with npm itself and with a stand-in that tells when it ran.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { root, run, temporaryFolder, type Ended, type Running } from './serve-process.ts'

const succeeded: Ended = { code: 0, signal: null }

/** A project that depends on nothing, with the script in its place. */
function project(t: TestContext): string {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'scripts'))
  for (const script of ['prepare.mjs', 'turn.mjs']) {
    copyFileSync(join(root, 'scripts', script), join(folder, 'scripts', script))
  }
  const named = { name: 'small', version: '1.0.0' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(named))
  writeLock(folder, '1.0.0')
  // What npm would be: it fails when another one is at work, and says that it ran.
  writeFileSync(
    join(folder, 'npm.mjs'),
    `import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
    import { setTimeout } from 'node:timers/promises'
    writeFileSync('busy', '', { flag: 'wx' })
    appendFileSync('ran', process.argv.slice(2).join(' ') + '\\n')
    rmSync('node_modules', { recursive: true, force: true })
    await setTimeout(300)
    mkdirSync('node_modules')
    rmSync('busy')
    process.exit(Number(process.env.NPM_EXIT ?? 0))`,
  )
  return folder
}

function writeLock(folder: string, version: string): void {
  const named = { name: 'small', version }
  const lock = { ...named, lockfileVersion: 3, requires: true, packages: { '': named } }
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
}

function prepare(t: TestContext, folder: string, settings: Record<string, string> = {}): Running {
  const command = [process.execPath, join(folder, 'scripts', 'prepare.mjs')] as const
  return run(t, [...command], { npm_execpath: join(folder, 'npm.mjs'), ...settings }, folder)
}

/** How often the stand-in has run. */
function installs(folder: string): number {
  const path = join(folder, 'ran')
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0
}

/** The pid of a process that has ended. */
function deadPid(): string {
  return String(spawnSync(process.execPath, ['-e', '']).pid)
}

function leaveLock(folder: string, pid: string): void {
  mkdirSync(join(folder, '.cache'))
  writeFileSync(join(folder, '.cache', 'install.lock'), pid)
}

test('npm itself installs from the lock file, and a second run does nothing', async (t) => {
  const folder = project(t)
  const npm = { npm_execpath: '', npm_config_update_notifier: 'false' }
  const first = prepare(t, folder, npm)
  assert.deepEqual(await first.ended, succeeded, first.stderr())
  assert.match(first.stdout(), /^trent: installing dependencies \(npm ci\)\n/)
  assert.match(readFileSync(join(folder, 'node_modules', '.trent-lock'), 'utf8'), /^[\da-f]{64}$/)
  const second = prepare(t, folder, npm)
  assert.deepEqual(await second.ended, succeeded)
  assert.equal(second.stdout() + second.stderr(), '')
})

test('it installs without scripts, and again when the lock file is another', async (t) => {
  const folder = project(t)
  assert.deepEqual(await prepare(t, folder).ended, succeeded)
  assert.match(readFileSync(join(folder, 'ran'), 'utf8'), /^ci --ignore-scripts /)
  // Time alone changes nothing: what counts is what the lock file says.
  utimesSync(join(folder, 'package-lock.json'), new Date(), new Date())
  assert.deepEqual(await prepare(t, folder).ended, succeeded)
  assert.equal(installs(folder), 1)
  writeLock(folder, '1.0.1')
  assert.deepEqual(await prepare(t, folder).ended, succeeded)
  assert.equal(installs(folder), 2)
  rmSync(join(folder, 'node_modules'), { recursive: true })
  assert.deepEqual(await prepare(t, folder).ended, succeeded)
  assert.equal(installs(folder), 3)
})

test('many at once take turns: one installs, the others find it done', async (t) => {
  const folder = project(t)
  const all = Array.from({ length: 5 }, () => prepare(t, folder))
  for (const each of all) assert.deepEqual(await each.ended, succeeded, each.stderr())
  assert.equal(installs(folder), 1)
  assert.deepEqual(readdirSync(join(folder, '.cache')), [])
})

test('the turn of a dead process is taken over, by one at a time', async (t) => {
  const folder = project(t)
  leaveLock(folder, deadPid())
  const all = Array.from({ length: 5 }, () => prepare(t, folder))
  for (const each of all) assert.deepEqual(await each.ended, succeeded, each.stderr())
  assert.equal(installs(folder), 1)
  assert.deepEqual(readdirSync(join(folder, '.cache')), [])
})

test('a process that died while it took a turn over stands in nobody’s way', async (t) => {
  const folder = project(t)
  leaveLock(folder, deadPid())
  writeFileSync(join(folder, '.cache', 'install.lock.guard'), deadPid())
  const only = prepare(t, folder)
  assert.deepEqual(await only.ended, succeeded, only.stderr())
  assert.equal(installs(folder), 1)
})

test('the turn of a living process is waited for', async (t) => {
  const folder = project(t)
  leaveLock(folder, String(process.pid))
  const waiting = prepare(t, folder)
  await new Promise((resolve) => void waiting.child.stdout?.once('data', resolve))
  assert.ok(waiting.stdout().startsWith(`trent: waiting for process ${process.pid}, `))
  assert.equal(installs(folder), 0)
  rmSync(join(folder, '.cache', 'install.lock'))
  assert.deepEqual(await waiting.ended, succeeded)
  assert.equal(installs(folder), 1)
})

test('when npm fails it says so, ends with 1, and the next run tries again', async (t) => {
  const folder = project(t)
  const failing = prepare(t, folder, { NPM_EXIT: '7' })
  assert.deepEqual(await failing.ended, { code: 1, signal: null })
  assert.match(failing.stderr(), /^trent: npm ci failed: .+\n$/)
  assert.deepEqual(readdirSync(join(folder, '.cache')), [])
  assert.deepEqual(await prepare(t, folder).ended, succeeded)
  assert.equal(installs(folder), 2)

  rmSync(join(folder, 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'package-lock.json'), 'no lock file')
  const spoilt = prepare(t, folder, { npm_execpath: '' })
  assert.deepEqual(await spoilt.ended, { code: 1, signal: null })
  assert.match(spoilt.stderr(), /^trent: npm ci failed: /m)
})
