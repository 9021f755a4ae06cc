/** deploy/systemd/trent.service: systemd reads it, and its command starts a server without core dumps. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { end, freePort, ready, root, run, temporaryFolder } from './serve-process.ts'

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
