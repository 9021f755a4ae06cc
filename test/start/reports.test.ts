/** Diagnostic reports: no thread writes the environment into them, whatever started the server. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { foundIn, newFile, textSecret } from './memory-search.ts'
import {
  end,
  freePort,
  ready,
  requireInstalled,
  root,
  run,
  temporaryFolder,
} from './serve-process.ts'

/** The process of the server, which this one is or has started. */
function serverOf(pid: number): number {
  const [program, ...parameters] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  if (program?.endsWith('node') && parameters.some((each) => each.endsWith('src/main.ts')))
    return pid
  const [child = assert.fail('no server')] = readFileSync(
    `/proc/${pid}/task/${pid}/children`,
    'utf8',
  ).split(' ')
  return serverOf(Number(child))
}

const unit = readFileSync(join(root, 'deploy', 'systemd', 'trent.service'), 'utf8')
const [, unitCommand = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? []
const starts = {
  'the unit': unitCommand.replaceAll('/opt/trent', root).split(/[\s\\]+/),
  'npm start': ['npm', 'start'],
  trent: [process.execPath, join(root, 'bin', 'trent.js'), 'serve'],
} as const

for (const [name, [program = '', ...parameters]] of Object.entries(starts)) {
  test(
    `a report of a server that ${name} started has no part of the environment`,
    { skip: process.platform === 'linux' ? false : 'reads /proc' },
    async (t) => {
      requireInstalled()
      const folder = temporaryFolder(t)
      const secret = textSecret('metrics')
      const settings = {
        ...freePort(folder),
        HOME: folder,
        TRENT_WORKERS: '2',
        TRENT_METRICS_TOKEN: secret,
        NODE_OPTIONS: `--report-on-signal --report-signal=SIGPROF --report-directory=${folder}`,
      }
      const cwd = name === 'npm start' ? root : folder
      const running = run(t, [program, ...parameters], settings, cwd)
      await ready(running)
      const pid = serverOf(running.child.pid ?? assert.fail())
      t.after(() => ended(pid))
      process.kill(pid, 'SIGPROF')
      const report = await newFile(folder, /^report.*\.json$/)
      await end(running, 'SIGTERM')
      const { workers, header } = JSON.parse(report.toString()) as {
        readonly workers: readonly object[]
        readonly header: { readonly processId: number }
      }
      assert.equal(header.processId, pid)
      assert.ok(workers.length > 1)
      assert.ok(!report.includes('environmentVariables'))
      assert.deepEqual(foundIn(report, new Map([['token', Buffer.from(secret)]])), [])
    },
  )
}

/** Ends a server that npm or `trent` started, and left behind. */
function ended(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with them, as it should.
  }
}
