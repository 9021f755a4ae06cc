/** `trent backup` from a shell. @module */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { flipped } from '../crypto/fixed.ts'
import { clientsOf, root } from '../durability/lost-server.ts'
import { end, freePort, main, run, serve, temporaryFolder, trentEnded } from './serve-process.ts'
import { noTerminal } from './typed-secrets.ts'

test(
  'a backup shows its progress on a terminal, and nowhere else',
  { skip: noTerminal },
  async (t) => {
    const folder = temporaryFolder(t)
    const { kms } = clientsOf(t, await serve(t, folder, root))
    // The progress is shown after each MiB.
    const Description = 'x'.repeat(8192)
    for (let made = 0; made < 180; made += 1) await kms.send(new CreateKeyCommand({ Description }))
    const settings = freePort(folder)
    const command = `exec '${process.execPath}' '${main}' backup shown`
    const shown = run(t, ['script', '-qefc', command, '/dev/null'], settings, folder)
    assert.equal((await shown.ended).code, 0, shown.stdout())
    // One line, which makes room for the result.
    const cleared = String.raw`\r\u001B\[K`
    const line = new RegExp(
      `^(?:${cleared}\\d+ %: \\d+ of (\\d+) rows)+${cleared}\\S+shown: (\\d+) rows up to change `,
    )
    const [, total, rows] = line.exec(shown.stdout()) ?? []
    assert.ok(total !== undefined && total === rows, shown.stdout())
    const piped = await trentEnded(t, ['backup', 'piped'], settings, folder)
    assert.deepEqual([piped.code, piped.stderr], [0, ''])
    assert.match(piped.stdout, /^\S+piped: \d+ rows up to change /)
  },
)

test('a backup of a running server is taken, streamed and verified', async (t) => {
  const folder = temporaryFolder(t)
  const settings = freePort(folder)
  const server = await serve(t, folder)
  const trent = (...parameters: string[]) => trentEnded(t, parameters, settings, folder)
  const taken = await trent('backup', 'first', '--json')
  assert.equal(taken.code, 0, taken.stderr)
  const { bytes, rows } = JSON.parse(taken.stdout) as { bytes: number; rows: number }
  const file = join(folder, 'first')
  const { mode, size } = statSync(file)
  assert.deepEqual([mode & 0o777, size], [0o600, bytes])

  const again = await trent('backup', 'first')
  assert.deepEqual([again.code, again.stdout], [1, ''])
  assert.match(again.stderr, /^trent: \S+first is there already\n$/)
  const unnamed = await trent('backup')
  assert.match(unnamed.stderr, /^trent: name the file of the backup[^\n]*\n$/)

  const program = `'${process.execPath}' '${main}'`
  const piped = `${program} backup - | ${program} backup verify - --json`
  const streamed = run(t, ['sh', '-c', piped], settings, folder)
  assert.equal((await streamed.ended).code, 0, streamed.stderr())
  assert.partialDeepStrictEqual(JSON.parse(streamed.stdout()), { whole: true })

  assert.equal((await end(server, 'SIGTERM')).code, 0)
  const gone = await trent('backup', 'second')
  assert.match(gone.stderr, /^trent: no server answers at [^\n]+\n$/)

  // Offline, without the seal and with it.
  const structure = await trent('backup', 'verify', 'first')
  assert.match(structure.stdout, /its bytes are as they were written/)
  const sealKey = join(folder, 'data', 'seal.key')
  for (const how of [['--open'], ['--seal-key', sealKey]]) {
    const verified = await trent('backup', 'verify', 'first', ...how, '--json')
    assert.equal(verified.code, 0, verified.stderr)
    const { opened } = JSON.parse(verified.stdout) as { opened: { rows: number; genuine: number } }
    assert.equal(opened.rows, rows)
    assert.ok(opened.genuine > 0)
  }

  const otherKey = join(folder, 'other.key')
  writeFileSync(otherKey, Buffer.alloc(32, 7), { mode: 0o600 })
  writeFileSync(join(folder, 'wrong'), flipped(readFileSync(file), size - 100))
  writeFileSync(join(folder, 'cut'), readFileSync(file).subarray(0, size - 40))
  for (const [parameters, why] of [
    [['first', '--seal-key', otherKey], /the seal of the backup does not open/],
    [['first', '--recovery'], /the backup has no recovery seal/],
    [['wrong'], /damaged/],
    [['cut'], /damaged/],
    [['missing'], /missing cannot be read: ENOENT/],
    [['data/seal.key'], /not a backup of Trent/],
  ] as const) {
    const { code, stdout, stderr } = await trent('backup', 'verify', ...parameters)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^trent: [^\n]+\n$/)
    assert.match(stderr, why)
  }
})
