/** `trent init`, `unseal`, `seal` and `rekey` from a shell: files, standard input and a terminal. @module */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  end,
  freePort,
  main,
  ready,
  run,
  temporaryFolder,
  trent,
  trentEnded,
  type Running,
} from './serve-process.ts'

/** `script` of util-linux gives a command a terminal. */
const hasScript = spawnSync('script', ['--version']).status === 0

interface Answer {
  readonly sealed?: boolean
  readonly open?: boolean
  readonly stage?: string
  readonly seal?: unknown
  readonly shares?: readonly string[]
  readonly given?: readonly number[]
}

interface Commands {
  readonly folder: string
  /** Runs a command with `--json` to its end. It must succeed. */
  readonly ask: (...parameters: readonly string[]) => Promise<Answer>
  /** Runs a command that must be refused, and returns its one line. */
  readonly refused: (...parameters: readonly string[]) => Promise<string>
  /** Writes a secret to a file that only its owner can read, and returns its path. */
  readonly file: (secret: string) => string
}

function commandsIn(t: TestContext, folder: string): Commands {
  let files = 0
  return {
    folder,
    async ask(...parameters) {
      const ended = await trentEnded(t, [...parameters, '--json'], freePort(folder), folder)
      assert.equal(ended.code, 0, ended.stderr)
      return JSON.parse(ended.stdout) as Answer
    },
    async refused(...parameters) {
      const { code, stdout, stderr } = await trentEnded(t, parameters, freePort(folder), folder)
      assert.deepEqual([code === 0, stdout], [false, ''])
      assert.match(stderr, /^trent: [^\n]+\n$/)
      return stderr
    },
    file(secret) {
      files += 1
      const path = join(folder, `secret-${files}`)
      writeFileSync(path, `${secret}\n`, { mode: 0o600 })
      return path
    },
  }
}

/** Starts a server that stays sealed, and waits until its operator door answers. */
async function serveSealed(t: TestContext, { folder }: Commands, seal: string): Promise<Running> {
  const server = trent(t, ['serve'], { ...freePort(folder), TRENT_SEAL: seal }, folder)
  for (let tries = 0; ; tries += 1) {
    const { code } = await trentEnded(t, ['status'], freePort(folder), folder)
    if (code === 0) return server
    assert.ok(tries < 100, server.stderr())
    await sleep(100)
  }
}

/** Types a secret on a terminal when the command asks for it, and returns all that the terminal showed. */
async function typed(t: TestContext, folder: string, secret: string): Promise<string> {
  const child = spawn('script', ['-qec', `'${process.execPath}' '${main}' unseal`, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...freePort(folder) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let shown = ''
  let isAnswered = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    if (isAnswered || !shown.includes('are given): ')) return
    isAnswered = true
    // The prompt comes before the terminal is switched to no echo.
    setTimeout(() => child.stdin.write(`x\x7f${secret}\r`), 500)
  })
  const [code] = (await once(child, 'close')) as [number]
  assert.equal(code, 0, shown)
  return shown
}

test('shares are made, given, refused by name, and moved to a passphrase', async (t) => {
  const commands = commandsIn(t, temporaryFolder(t))
  const { ask, refused, file, folder } = commands
  const first = await serveSealed(t, commands, 'shamir')
  assert.match(await refused('unseal', '--from', file('anything')), /no root key yet: `trent init`/)
  const { shares = [] } = await ask('init', '--shares', '3', '--threshold', '2')
  assert.equal(shares.length, 3)
  const paths = shares.map(file)
  const [one = '', two = '', three = ''] = paths
  // The first time, every holder gives a share, as proof.
  assert.deepEqual((await ask('unseal', '--from', one)).given, [1])
  assert.deepEqual((await ask('unseal', '--from', two)).given, [1, 2])
  const [share = ''] = shares
  const mistyped = share.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  const line = await refused('unseal', '--from', file(mistyped))
  assert.match(line, /mistyped/)
  assert.ok(!line.includes(mistyped.slice(-20)))
  chmodSync(three, 0o644)
  assert.match(await refused('unseal', '--from', three), /must be a file that only you can read/)
  chmodSync(three, 0o600)
  assert.equal((await ask('unseal', '--from', three)).open, true)
  await ready(first)

  await ask('seal')
  assert.equal((await first.ended).code, 0)
  const second = await serveSealed(t, commands, 'shamir')
  const piped = run(
    t,
    ['sh', '-c', `'${process.execPath}' '${main}' unseal --json --from - < '${two}'`],
    freePort(folder),
    folder,
  )
  assert.equal((await piped.ended).code, 0, piped.stderr())
  assert.equal((await ask('unseal', '--from', one)).open, true)
  await ready(second)

  const passphrase = file('correct horse battery staple')
  const begun = await ask('rekey', '--seal', 'passphrase', '--passphrase-file', passphrase)
  assert.equal(begun.stage, 'open')
  await ask('rekey', '--from', two)
  assert.equal((await ask('rekey', '--from', three)).stage, 'prove')
  assert.match(await refused('rekey', '--from', file('another passphrase')), /passphrase is wrong/)
  assert.equal((await ask('rekey', '--from', passphrase)).stage, 'done')
  await end(second, 'SIGTERM')

  const third = await serveSealed(t, commands, 'passphrase')
  assert.equal((await ask('unseal', '--from', passphrase)).open, true)
  await ready(third)
  assert.equal((await ask('unseal')).open, true)
})

test(
  'a share that is typed on a terminal is not shown',
  { skip: hasScript ? false : 'there is no `script` to make a terminal' },
  async (t) => {
    const commands = commandsIn(t, temporaryFolder(t))
    const { ask, file, folder } = commands
    const server = await serveSealed(t, commands, 'shamir')
    const { shares = [] } = await ask('init', '--shares', '2', '--threshold', '2')
    const [one = '', two = ''] = shares
    const shown = await typed(t, folder, one)
    assert.match(shown, /share of set [0-9a-f]{8} \(0 of 2 are given\): /)
    assert.ok(!shown.includes(one.slice(-30)), shown)
    assert.equal((await ask('unseal', '--from', file(two))).open, true)
    await ready(server)
  },
)
