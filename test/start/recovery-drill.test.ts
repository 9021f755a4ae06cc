/** The page of the recovery drill, each line as written, in one shell from top to bottom. @module */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from '../compat/python-clients.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { root, run, temporaryFolder } from './serve-process.ts'

const clients = await pythonClients()
const { skip } = clients
const page = readFileSync(join(root, 'docs/operations/recovery-drill.md'), 'utf8')
/** The indented lines. */
const script = page.split('\n').flatMap((line) => (line.startsWith('    ') ? [line.slice(4)] : []))

test('the recovery drill works as written', { skip, timeout: 240_000 }, async (t) => {
  assert.ok(script.length > 35)
  const folder = temporaryFolder(t)
  const trent = join(folder, 'trent')
  writeFileSync(trent, `#!/bin/sh\nexec '${process.execPath}' '${root}/src/main.ts' "$@"\n`)
  chmodSync(trent, 0o755)
  // A drill that fails must not leave a server.
  const end = 'trap \'kill -9 -- "-$server" 2> /dev/null || true\' EXIT'
  // The page has a fixed one.
  const port = String(await freeLoopbackPort())
  const running = run(
    t,
    ['bash', '-euo', 'pipefail', '-c', [end, ...script].join('\n').replaceAll('4610', port)],
    {
      PATH: `${folder}:${clients.bin}:${process.env['PATH'] ?? ''}`,
      LANG: 'C.UTF-8',
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    folder,
  )
  const { code } = await running.ended
  const stdout = running.stdout()
  assert.equal(code, 0, running.stderr() + stdout)
  assert.match(stdout, /^PendingDeletion$/m)
  assert.match(stdout, /^a backup alone is refused: what was revoked would come back$/m)
  assert.match(running.stderr(), /what was deleted or revoked after the backup would come back/)
  assert.match(stdout, /^hello, deleted key: PendingDeletion, disabled key: Disabled$/m)
  assert.match(stdout, /^a key from after the backup is lost$/m)
  assert.match(stdout, /^whole: \d+ records proved, 0 unanchored/m)
})
