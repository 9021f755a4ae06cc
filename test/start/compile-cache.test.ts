/** Where compiled code is kept from one start to the next, and when it is not. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root, temporaryFolder } from './serve-process.ts'

const script = join(root, 'scripts', 'compile-cache.mjs')
const inThread = `
  const { getCompileCacheDir } = await import('node:module')
  const { parentPort } = await import('node:worker_threads')
  parentPort.postMessage(getCompileCacheDir())
`
const program = `
  const { getCompileCacheDir } = await import('node:module')
  const { Worker } = await import('node:worker_threads')
  const worker = new Worker(${JSON.stringify(inThread)}, { eval: true, env: {} })
  worker.once('message', (there) => {
    console.log(JSON.stringify([getCompileCacheDir() ?? null, there ?? null]))
  })
`

/** The cache of a process and of its thread. */
function cachesWith(home: string): readonly (string | null)[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', script, '--input-type=module', '--eval', program],
    { env: { HOME: home }, encoding: 'utf8' },
  )
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as readonly (string | null)[]
}

const none = [null, null]

test('the cache is private to the user, and threads use it too', (t) => {
  const home = realpathSync(temporaryFolder(t))
  const directory = join(home, '.cache', 'trent', 'compiled')
  const [cache, ofThread] = cachesWith(home)
  assert.ok(cache?.startsWith(directory), String(cache))
  assert.equal(ofThread, cache)
})

test('a directory that others can read, write or replace is not used', (t) => {
  const home = realpathSync(temporaryFolder(t))
  const directory = join(home, '.cache', 'trent', 'compiled')
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  assert.deepEqual(cachesWith(home), none)
  chmodSync(directory, 0o700)
  for (const above of [join(home, '.cache', 'trent'), join(home, '.cache'), home]) {
    for (const mode of [0o722, 0o720]) {
      chmodSync(above, mode)
      assert.deepEqual(cachesWith(home), none, `${above} ${mode.toString(8)}`)
    }
    chmodSync(above, 0o1777)
    assert.notDeepEqual(cachesWith(home), none, `${above} is sticky`)
    chmodSync(above, 0o755)
  }
  assert.notDeepEqual(cachesWith(home), none)
})

test('a link in place of the directory is not followed, and a missing home is no error', (t) => {
  const home = realpathSync(temporaryFolder(t))
  mkdirSync(join(home, '.cache', 'trent'), { recursive: true })
  mkdirSync(join(home, 'elsewhere'), { mode: 0o700 })
  symlinkSync(join(home, 'elsewhere'), join(home, '.cache', 'trent', 'compiled'))
  assert.deepEqual(cachesWith(home), none)
  assert.deepEqual(cachesWith(join(home, 'missing')), none)
})

test('`npm start` and `trent` use the cache', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  assert.match(
    scripts['start'] ?? '',
    / --import \.\/scripts\/compile-cache\.mjs src\/main\.ts serve /,
  )
  assert.match(readFileSync(join(root, 'bin', 'trent.js'), 'utf8'), /'--import',\s+cache,/)
})
