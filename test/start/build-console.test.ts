/**
 * `trent serve --build-console`: the console is built in the background, once, and again when its sources
 * change. It runs in a copy of the tree, with a stand-in for Vite that writes one page.
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  end,
  freePort,
  ready,
  root,
  run,
  type Serving,
  type Settings,
  temporaryFolder,
} from './serve-process.ts'

/** Files in `node_modules` are no sources. It waits for the file `go`, says that it ran and with which variables, and builds the page. */
const vite = `
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
while (!existsSync('node_modules/go')) await sleep(20)
appendFileSync('node_modules/ran', Object.keys(process.env).join(' ') + '\\n')
if (existsSync('node_modules/broken')) throw new Error('a chunk is missing')
const out = process.argv[process.argv.indexOf('--outDir') + 1]
mkdirSync(out)
writeFileSync(out + '/index.html', readFileSync('page.html'))
`

interface Tree {
  readonly folder: string
  /** Writes a file of the console. */
  readonly write: (name: string, text: string) => void
  /** Lines of the builds so far. */
  readonly builds: () => readonly string[]
}

function copyOfTree(t: TestContext): Tree {
  const folder = temporaryFolder(t)
  for (const part of ['src', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const path = (name: string): string => join(folder, 'console', name)
  mkdirSync(path('node_modules/vite/bin'), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path(name), text)
  write('package-lock.json', '{}')
  write('node_modules/.trent-lock', createHash('sha256').update('{}').digest('hex'))
  write('node_modules/vite/package.json', '{"type":"module"}')
  write('node_modules/vite/bin/vite.js', vite)
  write('page.html', 'first page')
  const builds = (): readonly string[] => {
    if (!existsSync(path('node_modules/ran'))) return []
    return readFileSync(path('node_modules/ran'), 'utf8').trimEnd().split('\n')
  }
  return { folder, write, builds }
}

async function serving(t: TestContext, { folder }: Tree, more: Settings = {}): Promise<Serving> {
  const command = [
    process.execPath,
    join(folder, 'src/main.ts'),
    'serve',
    '--build-console',
  ] as const
  return ready(run(t, command, { ...freePort(folder), ...more }, folder))
}

async function pageOf({ url }: Serving): Promise<string> {
  return (await fetch(`${url}/console/`)).text()
}

/** @throws when it does not come true in a minute */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await holds()); tries += 1) {
    assert.ok(tries < 600, 'it did not come true')
    await sleep(100)
  }
}

test('serve --build-console answers while it builds, and builds again only for other sources', async (t) => {
  const tree = copyOfTree(t)
  const first = await serving(t, tree, { AWS_SESSION_TOKEN: 'secret' })
  const before = await fetch(`${first.url}/console/`)
  assert.equal(before.status, 503)
  assert.match(await before.text(), /The console is being built/)
  assert.equal((await fetch(`${first.url}/readyz`)).status, 200)
  tree.write('node_modules/go', '')
  await until(async () => (await pageOf(first)) === 'first page')
  const [names = ''] = tree.builds()
  assert.match(names, /\bPATH\b/)
  assert.doesNotMatch(names, /TRENT_|AWS_/, 'the build got settings of the server')
  await end(first, 'SIGTERM')

  const script = [process.execPath, join(tree.folder, 'scripts/build-console.mjs')] as const
  await run(t, script, {}, tree.folder).ended
  assert.equal(tree.builds().length, 1, 'the same sources were built again')
  tree.write('page.html', 'second page')
  const second = await serving(t, tree)
  await until(async () => (await pageOf(second)) === 'second page')
  assert.equal(tree.builds().length, 2)
  await end(second, 'SIGTERM')
})

test('a build that fails is told of in the log, and the earlier pages stay', async (t) => {
  const tree = copyOfTree(t)
  tree.write('node_modules/go', '')
  const first = await serving(t, tree)
  await until(async () => (await pageOf(first)) === 'first page')
  await end(first, 'SIGTERM')
  tree.write('node_modules/broken', '')
  tree.write('page.html', 'second page')
  const second = await serving(t, tree)
  await until(() => /the console is not built.*npm run build:console/.test(second.stderr()))
  assert.match(second.stderr(), /a chunk is missing|the console could not be built/)
  assert.equal(await pageOf(second), 'first page')
  await end(second, 'SIGTERM')
})

test('TRENT_CONSOLE=off builds nothing', async (t) => {
  const tree = copyOfTree(t)
  tree.write('node_modules/go', '')
  const running = await serving(t, tree, { TRENT_CONSOLE: 'off' })
  assert.equal((await fetch(`${running.url}/console/`)).status, 404)
  await end(running, 'SIGTERM')
  assert.deepEqual(tree.builds(), [])
})
