/**
 * The pages on systemd and on upgrades, their lines as written: a checkout is installed in a folder that stands
 * for the machine, a new version is tagged, and the server is upgraded to it and taken back.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { files } from '../listed-files.ts'
import { pageOf } from '../pages.ts'
import { end, ready, requireInstalled, root, run, temporaryFolder } from './serve-process.ts'
import { answering, openTerminal, type Terminal } from './terminal.ts'

const unit = 'a line of a unit, and systemd is not at work here'
const credential =
  'systemd-creds makes a key for the machine, as root: unit.test.ts has what comes of it'
const systemd = pageOf('docs/operations/systemd.md', {
  'useradd --system --home-dir /var/lib/trent --shell /usr/sbin/nologin trent':
    'it changes the machine, as root',
  ...Object.fromEntries(
    [
      '[Service]',
      'PrivateDevices=no',
      'DevicePolicy=closed',
      'DeviceAllow=/dev/tpmrm0 rw',
      'SupplementaryGroups=tss',
      'ReadWritePaths=/mnt/backup/trent',
      'IPAddressDeny=any',
      'IPAddressAllow=localhost 10.0.0.0/24',
      'ExecStart=',
      'ExecStart=/usr/local/bin/trent serve',
    ].map((line) => [line, unit]),
  ),
  ...Object.fromEntries(
    [
      'install -d -m 700 /etc/credstore.encrypted',
      'head -c 32 /dev/urandom | systemd-creds encrypt --name=seal.key - /etc/credstore.encrypted/seal.key',
      'systemd-creds encrypt --name=server.key server.key /etc/credstore.encrypted/server.key',
      '# in /etc/trent/trent.env',
      'TRENT_SEAL=file:/run/credentials/trent.service/seal.key',
      'TRENT_TLS_KEY=/run/credentials/trent.service/server.key',
      '(umask 077; systemd-creds decrypt --name=seal.key /etc/credstore.encrypted/seal.key /run/seal.key)',
      'TRENT_SEAL=file:/run/seal.key trent verify-database',
      'shred --remove /run/seal.key',
    ].map((line) => [line, credential]),
  ),
})
const upgrade = pageOf('docs/operations/upgrade.md', {
  'trent: the database was written by a later version of Trent: its schema is version 2, and this one knows version 1':
    'test/store/migrations.test.ts sees this refusal',
})

/** What is at work in a checkout that is installed. */
const programs = /^(?:bin|deploy|scripts|src)\/|^package(?:-lock)?\.json$|^\.gitignore$/
const [former, later] = ['vOLD', 'vNEW'] as const

/** A repository with the former version, and the function that adds the later one. */
function upstream(t: TestContext): readonly [folder: string, release: () => void] {
  const folder = temporaryFolder(t)
  const git = (...parameters: readonly string[]): void => {
    const name = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
    execFileSync('git', ['-c', 'commit.gpgsign=false', ...name, ...parameters], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  }
  for (const file of files.filter((each) => programs.test(each))) {
    cpSync(join(root, file), join(folder, file))
  }
  const tag = (name: string): void => {
    git('add', '--all')
    git('commit', '--quiet', '--message', name)
    git('tag', name)
  }
  git('init', '--quiet')
  tag(former)
  const release = (): void => {
    const file = join(folder, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...manifest, version: '99.0.0' }, undefined, 2))
    tag(later)
  }
  return [folder, release]
}

/** A machine without systemd: the test carries out what the unit says. */
function machine(t: TestContext, folder: string, stands: Record<string, string>) {
  const data = join(folder, 'var/lib/trent')
  let running: ReturnType<typeof run> | undefined
  const start = async (): Promise<void> => {
    const installed = join(folder, 'etc/systemd/system/trent.service')
    const text = terminal.here(readFileSync(installed, 'utf8').replaceAll(/\\\n\s*/g, ''))
    const valueOf = (name: string): string[] =>
      [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)
    const [program = '', ...parameters] = valueOf('ExecStart').join('').split(' ')
    const settings = Object.fromEntries(valueOf('Environment').map((each) => each.split('=', 2)))
    mkdirSync(data, { recursive: true, mode: 0o700 }) // StateDirectory=
    const started = run(t, [program, ...parameters], settings as Record<string, string>, data)
    running = started
    await answering(started, terminal.ask)
  }
  const stop = async (): Promise<void> => {
    assert.deepEqual(await end(current(), 'SIGTERM'), { code: 0, signal: null })
  }
  const current = () => running ?? assert.fail('nothing was started')
  const terminal: Terminal = openTerminal(t, folder, {
    stands,
    data,
    settings: { TRENT_LISTEN: '', TRENT_DATA_DIR: '', npm_config_update_notifier: 'false' },
    own: {
      'systemctl daemon-reload': async () => undefined,
      'systemctl enable --now trent': start,
      'systemctl start trent': start,
      'systemctl stop trent': stop,
    },
  })
  return { terminal, current, start, stop }
}

test('an installation as the page on systemd has it, and its upgrade', async (t) => {
  requireInstalled()
  const folder = temporaryFolder(t)
  const [repository, release] = upstream(t)
  const stands: Record<string, string> = {
    'https://git.example.com/trent.git': repository,
    '0.0.0.0:4599': '127.0.0.1:0',
  }
  const { terminal, current, start, stop } = machine(t, folder, stands)
  const { type, here, ask } = terminal
  for (const each of ['etc/systemd/system', 'usr/local/bin', 'var/backups', 'opt']) {
    mkdirSync(join(folder, each), { recursive: true })
  }
  const install = systemd.take('umask 022')
  const prepare = install.findIndex((line) => line.includes('prepare.mjs'))
  await type(install.slice(0, prepare))
  // `npm ci` would find the same packages in the network.
  const packages = join(folder, 'opt/trent/node_modules')
  symlinkSync(join(root, 'node_modules'), packages)
  const installed = await type(install.slice(prepare))
  assert.match(installed, /: the binary that is recorded$|no Node\.js of npm is installed/m)
  const file = join(folder, 'etc/trent/trent.env')
  assert.equal(statSync(file).mode & 0o777, 0o640)
  writeFileSync(file, systemd.take('TRENT_LISTEN=').map(here).join('\n'))
  await type('trent certificate')
  for (const name of ['server.pem', 'server.key']) {
    renameSync(join(folder, 'tls', name), join(dirname(file), name))
  }
  await type(systemd.take('systemctl enable --now trent'))
  assert.match(await type(systemd.take('export TRENT_DATA_DIR')), /^sealed: true$/m)
  assert.deepEqual(systemd.left(), [])
  const { shares = [] } = await ask('Initialize', { shares: 2, threshold: 2 })
  const unseal = async (): Promise<void> => {
    for (const secret of shares) await ask('Unseal', { secret })
    stands['http://127.0.0.1:4599'] =
      `--cacert tls/ca.pem https://localhost:${(await ready(current())).port}`
  }
  await unseal()

  const before = await type(upgrade.take('trent status'))
  assert.match(before, /^sealed: false$/m)
  assert.match(before, /^ready: true$/m)
  assert.doesNotMatch(before, /former:/)
  release()
  const after = await type(upgrade.take('systemctl stop trent'))
  assert.match(after, /^version: 99\.0\.0$/m)
  assert.match(after, /^sealed: true$/m)
  await unseal()
  assert.match(await type(upgrade.take('curl --fail')), /"ready"[^]*^whole: /m)
  assert.deepEqual(upgrade.left(), [])

  // Back to the former version: the schema is the same.
  await stop()
  await type(`git -C /opt/trent checkout ${former}`)
  await type('node /opt/trent/scripts/prepare.mjs')
  await start()
  await unseal()
  assert.notEqual((await ask('GetStatus')).version, '99.0.0')
})
