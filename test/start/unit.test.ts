/**
 * deploy/systemd/trent.service: systemd reads it, its command starts a server without core dumps, and its
 * credentials are secrets of that server.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { certified } from '../wire/certificate.ts'
import { end, freePort, main, ready, root, run, temporaryFolder } from './serve-process.ts'

const path = join(root, 'deploy', 'systemd', 'trent.service')
const unit = readFileSync(path, 'utf8').replaceAll(/\\\n\s*/g, '')
const valueOf = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
const command = valueOf('ExecStart').replaceAll('/opt/trent', root).split(' ')
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0

test('the command of the unit starts a server whose memory has no gap but perhaps the swap', async (t) => {
  const folder = temporaryFolder(t)
  const limited = `ulimit -c ${valueOf('LimitCORE')}; exec "$0" "$@"`
  const running = run(t, ['sh', '-c', limited, ...command], freePort(folder), folder)
  await ready(running)
  const pid = running.child.pid ?? assert.fail()
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
  // SIGUSR1 neither opens the debugger nor ends the server.
  running.child.kill('SIGUSR1')
  await end(running, 'SIGTERM')
  assert.equal(running.child.exitCode, 0)
  assert.doesNotMatch(running.stderr(), /core dump|SIGUSR1|Debugger listening/)
})

/** A process cannot raise its hard limit. */
const hardLimit = spawnSync('sh', ['-c', 'ulimit -H -c'], { encoding: 'utf8' }).stdout.trim()

test(
  'without the limit of the unit, the server warns of core dumps',
  { skip: hardLimit === '0' ? 'core dumps are turned off here for good' : false },
  async (t) => {
    const folder = temporaryFolder(t)
    const settings = { ...freePort(folder), TRENT_SEAL: `file:${join(folder, 'seal.key')}` }
    const limited = `ulimit -c 1 && exec "$0" "$@"`
    const running = run(t, ['sh', '-c', limited, ...command], settings, folder)
    await ready(running)
    await end(running, 'SIGTERM')
    assert.match(running.stderr(), /a crash writes the memory to a core dump: set LimitCORE=0/)
  },
)

const isRoot = process.getuid?.() === 0 && process.platform === 'linux'

test(
  'the server takes its key file and its TLS key from the credentials of the unit',
  { skip: isRoot ? false : 'only root can give files to another user, and only on Linux here' },
  async (t) => {
    const names = [...unit.matchAll(/^LoadCredentialEncrypted=(\S+)$/gm)].map(([, name]) => name)
    assert.deepEqual(names, ['seal.key', 'server.key', 'hsm-pin', 'tpm-auth', 'console-secret'])
    const folder = temporaryFolder(t)
    const credentials = join(folder, 'run/credentials/trent.service')
    mkdirSync(credentials, { recursive: true })
    const { cert, key } = await certified('localhost')
    writeFileSync(join(credentials, 'seal.key'), randomBytes(32))
    writeFileSync(join(credentials, 'server.key'), key)
    writeFileSync(join(folder, 'server.pem'), cert)
    const user = 65_532
    // Root's, with an access list for the service, which shows as the group's right.
    for (const name of ['seal.key', 'server.key']) {
      chownSync(join(credentials, name), 0, user)
      chmodSync(join(credentials, name), 0o440)
    }
    const data = join(folder, 'data')
    mkdirSync(data)
    chownSync(data, user, user)
    chmodSync(folder, 0o755)
    const settings = {
      ...freePort(folder),
      CREDENTIALS_DIRECTORY: credentials,
      TRENT_SEAL: `file:${join(credentials, 'seal.key')}`,
      TRENT_TLS_CERT: join(folder, 'server.pem'),
      TRENT_TLS_KEY: join(credentials, 'server.key'),
    }
    const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] as const
    const running = run(t, [...asUser, process.execPath, main, 'serve'], settings, folder)
    assert.match((await ready(running)).url, /^https:/)
    await end(running, 'SIGTERM')
    assert.equal(existsSync(join(data, 'seal.key')), false)
  },
)

test('the unit keeps the memory from disks, and what the system protects from Trent', () => {
  for (const [name, value] of [
    ['LimitCORE', '0'],
    ['MemorySwapMax', '0'],
    ['Restart', 'always'],
    ['ProtectSystem', 'strict'],
    ['NoNewPrivileges', 'yes'],
    ['CapabilityBoundingSet', ''],
  ] as const) {
    assert.equal(valueOf(name), value, name)
    assert.match(unit, new RegExp(`^${name}=`, 'm'))
  }
})

test(
  'systemd understands the unit, and calls its exposure low',
  { skip: hasSystemd ? false : 'there is no systemd-analyze' },
  (t) => {
    const folder = temporaryFolder(t)
    const copy = join(folder, 'trent.service')
    // The program of the unit is not installed here.
    writeFileSync(copy, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`))
    const verified = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' })
    assert.doesNotMatch(verified.stderr, /trent\.service/)
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', copy], {
      encoding: 'utf8',
    })
    const [, exposure = ''] =
      /exposure level for trent\.service: ([\d.]+)/.exec(judged.stdout) ?? []
    if (exposure === '') return t.skip('this systemd-analyze judges no unit offline')
    assert.ok(Number(exposure) < 2.5, `${exposure}\n${judged.stdout}`)
  },
)
