/** `trent init`, `unseal`, `seal`, `rekey` and `rotate-root` from a shell: files, standard input and a terminal. @module */
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { testedSeal } from '../seals/every-seal.ts'
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
  type Settings,
} from './serve-process.ts'
import { noTerminal, typed } from './typed-secrets.ts'

interface Answer {
  readonly sealed?: boolean
  readonly open?: boolean
  readonly stage?: string
  readonly seal?:
    | string
    | { readonly recovery?: boolean; readonly former?: { readonly state: string } }
  readonly recoveryShares?: readonly string[]
  readonly setting?: string
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
async function serveSealed(
  t: TestContext,
  { folder }: Commands,
  seal: string,
  more: Settings = {},
): Promise<Running> {
  const server = trent(t, ['serve'], { ...freePort(folder), ...more, TRENT_SEAL: seal }, folder)
  for (let tries = 0; ; tries += 1) {
    const { code } = await trentEnded(t, ['status'], freePort(folder), folder)
    if (code === 0) return server
    assert.ok(tries < 100, server.stderr())
    await sleep(100)
  }
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
  { skip: noTerminal ?? false },
  async (t) => {
    const commands = commandsIn(t, temporaryFolder(t))
    const { ask, file, folder } = commands
    const server = await serveSealed(t, commands, 'shamir')
    const { shares = [] } = await ask('init', '--shares', '2', '--threshold', '2')
    const [one = '', two = ''] = shares
    const { code, shown } = await typed(t, ['unseal'], [one], freePort(folder), folder)
    assert.equal(code, 0, shown)
    assert.match(shown, /share of set [0-9a-f]{8} \(0 of 2 are given\): /)
    assert.equal((await ask('unseal', '--from', file(two))).open, true)
    await ready(server)
  },
)

test('options say whether there is a recovery seal, and when former root keys end', async (t) => {
  const { setting, settings, environment } = await testedSeal(t, 'kms')
  const commands = commandsIn(t, temporaryFolder(t))
  const { ask, refused, file } = commands
  const server = await serveSealed(t, commands, setting, { ...environment, ...settings })
  const recovers = async (): Promise<boolean | undefined> =>
    Object(await ask('status')).seal?.recovery
  const proved = async (shares: readonly string[] = []): Promise<void> => {
    assert.equal(shares.length, 2)
    for (const share of shares) await ask('rekey', '--from', file(share))
    assert.equal(await recovers(), true)
  }
  const two = ['--shares', '2', '--threshold', '2'] as const
  assert.deepEqual(await ask('init', '--no-recovery'), { initialized: true })
  await ready(server)
  assert.equal(await recovers(), false)
  assert.match(await refused('init', '--no-recovery'), /is initialised: `trent status`/)
  await proved((await ask('init', ...two)).recoveryShares)
  assert.match(await refused('init'), /is initialised: `trent status`/)

  assert.match(await refused('rotate-root', '--shares', 'two'), /--shares is a whole number/)
  assert.match(await refused('rotate-root', '--retire'), /there is no former root key/)
  assert.match(await refused('rotate-root', '--end-sessions'), /--end-sessions belongs to --retire/)
  const rotated = await ask('rotate-root', ...two)
  assert.partialDeepStrictEqual(rotated, { stage: 'done', seal: 'kms', rotates: true })
  assert.equal(await recovers(), false)
  await proved(rotated.recoveryShares)
  while (Object(await ask('status')).seal?.former?.state !== 'rewrapped') await sleep(50)
  assert.match(await refused('rotate-root', '--retire'), /sessions may be under a former root key/)
  const ended = await ask('rotate-root', '--retire', '--end-sessions')
  assert.deepEqual(ended, { generation: 2, retired: 1 })

  const { recoveryShares, ...last } = await ask('rotate-root', '--no-recovery')
  assert.deepEqual([last.stage, recoveryShares], ['done', undefined])
  assert.equal(await recovers(), false)
})

test('a root key rotates under a new passphrase, and under new shares', async (t) => {
  const commands = commandsIn(t, temporaryFolder(t))
  const { ask, refused, file } = commands
  const server = await serveSealed(t, commands, 'passphrase')
  const [first, second] = ['correct horse battery staple', 'staple battery horse correct'].map(file)
  assert.ok(first !== undefined && second !== undefined)
  await ask('init', '--passphrase-file', first)
  await ask('unseal', '--from', first)
  await ready(server)
  const short = file('short')
  assert.match(await refused('rotate-root', '--passphrase-file', short), /12 characters/)
  assert.equal((await ask('rotate-root', '--passphrase-file', second)).stage, 'open')
  assert.equal((await ask('rekey', '--from', first)).stage, 'prove')
  assert.match(await refused('rekey', '--from', first), /passphrase is wrong/)
  assert.partialDeepStrictEqual(await ask('rekey', '--from', second), {
    stage: 'done',
    rotates: true,
  })

  const two = ['--shares', '2', '--threshold', '2'] as const
  await ask('rekey', '--seal', 'shamir', ...two)
  const { shares = [] } = await ask('rekey', '--from', second)
  for (const share of shares) await ask('rekey', '--from', file(share))
  // Nobody gives a share for what would be refused afterwards.
  assert.match(await refused('rotate-root', '--shares', '17'), /a seal has 2 to 16 shares/)
  assert.equal((await ask('rotate-root', '--shares', '3', '--threshold', '3')).stage, 'open')
  await ask('rekey', '--from', file(shares[0] ?? ''))
  const { shares: next = [] } = await ask('rekey', '--from', file(shares[1] ?? ''))
  assert.equal(next.length, 3)
  assert.equal((await ask('rekey', '--cancel')).stage, 'cancelled')
  assert.match(await refused('rekey', '--from', file(next[0] ?? '')), /name the new seal/)
})
