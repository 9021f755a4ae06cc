/** The page on the first day, each line as written, in one shell from top to bottom. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const root = join(import.meta.dirname, '..', '..')
const page = readFileSync(join(root, 'docs/operations/first-day.md'), 'utf8')
/** The indented lines. */
const script = page.split('\n').flatMap((line) => (line.startsWith('    ') ? [line.slice(4)] : []))

test('every line of the first day works as written', { skip, timeout: 240_000 }, async (t) => {
  assert.ok(script.length > 60)
  const { server, shell } = await openWorkplace(t, clients)
  const command = [
    `trent() { TRENT_DATA_DIR='${server.directory}' '${process.execPath}' '${root}/src/main.ts' "$@"; }`,
    ...script,
    // What the page promises about its files.
    'stat -c %a root.credentials alice.key session.key',
  ].join('\n')
  const { status, stdout, stderr } = await shell(command)
  assert.equal(status, 0, stderr + stdout)
  assert.match(stdout, /^arn:aws:iam::222233334444:root$/m)
  assert.match(stdout, /^arn:aws:iam::222233334444:user\/alice$/m)
  assert.match(stdout, /:oidc-provider\/token\.actions\.githubusercontent\.com"/)
  assert.match(stdout, /role\/billing/)
  assert.match(stdout, /^Alice is refused$/m)
  assert.match(stdout, /^arn:aws:kms:us-west-2:222233334444:key\/\S+$/m)
  assert.match(stdout, /^another app is refused$/m)
  assert.match(stdout, /(?:^600\n){3}/m)
  assert.equal(stderr.match(/AccessDeniedException/g)?.length, 2, stderr)
})
