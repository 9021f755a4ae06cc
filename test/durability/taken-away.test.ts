/** Whatever was taken away after a backup stays away after a restore, or the restore says by name what does not. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { changeNumberOf } from '../../src/model/change-number.ts'
import { callOperator } from '../../src/operator/client.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Serving,
} from '../start/serve-process.ts'
import { clientsOf, root } from './lost-server.ts'
import { losses } from './losses.ts'
import type { Loss, World } from './lost-world.ts'
import { narrowings } from './narrowings.ts'

/** Writes the records of the journal up to a change, as a delivery does. */
async function deliver(journal: string, archive: string, last: number): Promise<void> {
  const records: unknown[] = []
  await readRecords(journal, (text) => {
    const record: unknown = JSON.parse(text)
    if ((changeNumberOf(record) ?? 0) <= last) records.push(record)
  })
  mkdirSync(archive)
  writeFileSync(join(archive, 'x.json.gz'), gzipSync(JSON.stringify({ Records: records })))
}

interface Refused {
  readonly refusals: readonly string[]
  readonly unrepeated: readonly { readonly change: number; readonly name: string }[]
}

test('what was taken away is taken away again, or named and accepted by its number', async (t) => {
  const folder = temporaryFolder(t)
  const settings = { ...root, TRENT_SEAL: `file:${join(folder, 'seal.key')}` }
  const worldOf = (server: Serving, of: string): World => ({
    ...clientsOf(t, server),
    ask: (operation, input) => callOperator(join(of, 'data'), operation, input),
    as: (credentials) => clientsOf(t, server, credentials),
  })
  const server = await serve(t, folder, settings)
  const world = worldOf(server, folder)
  const backUp = async (name: string): Promise<number> => {
    const taking = { ...freePort(folder), ...settings }
    const { code, stdout, stderr } = await trentEnded(t, ['backup', name, '--json'], taking, folder)
    assert.equal(code, 0, stderr)
    return (JSON.parse(stdout) as { readonly change: number }).change
  }
  const prepared: (readonly [string, Loss])[] = []
  for (const [name, prepare] of Object.entries(losses)) prepared.push([name, await prepare(world)])
  const narrow = await narrowings(world)
  const first = await backUp('first')
  for (const [name, act] of Object.entries(narrow)) {
    await assert.doesNotReject(act(), name)
  }
  const second = await backUp('second')
  for (const [, { take }] of prepared) await take()
  await end(server, 'SIGKILL')

  const there = temporaryFolder(t)
  const restore = (name: string, ...more: readonly string[]) =>
    trentEnded(
      t,
      ['restore', join(folder, name), '--journal', join(folder, 'data', 'journal'), ...more],
      { ...freePort(there), ...settings },
      there,
    )
  // An archive that was fetched before the second backup has nothing that followed it.
  const early = join(folder, 'early')
  await deliver(join(folder, 'data', 'journal'), early, first)
  const tooEarly = await trentEnded(
    t,
    ['restore', join(folder, 'second'), '--delivered', early],
    { ...freePort(there), ...settings },
    there,
  )
  assert.equal(tooEarly.code, 1)
  const why = `the log ends at change ${first}, before the backup, which has change ${second}`
  assert.equal(tooEarly.stderr, `trent: ${why}; or type --accept-resurrection\n`)
  // From the first backup, some of it cannot be repeated.
  const refused = await restore('first', '--json')
  assert.equal(refused.code, 1, refused.stderr)
  assert.match(refused.stderr, /^trent: [^\n]+ cannot be repeated: [^\n]+--accept-resurrection\n$/)
  const { refusals, unrepeated } = JSON.parse(refused.stdout) as Refused
  assert.equal(refusals.length, 1)
  const names = new Set(unrepeated.map(({ name }) => name))
  assert.deepEqual([...names], Object.keys(narrow))
  const numbers = unrepeated.map(({ change }) => change)
  const [one = 0, ...others] = numbers
  const some = await restore('first', '--accept-changes', others.join(','))
  assert.equal(some.code, 1)
  assert.match(some.stdout, new RegExp(`^  ${one}  \\S+  ${unrepeated[0]?.name} arn:[^\\n]+\\n$`))
  for (const wrong of ['0', '1-2', 'x', '', `${one}-`, `${one},1`]) {
    const { code, stderr } = await restore('first', '--accept-changes', wrong)
    assert.deepEqual([code, /^trent: --accept-changes: [^\n]+\n$/.test(stderr)], [1, true], stderr)
  }
  const elsewhere = { ...freePort(join(folder, 'elsewhere')), ...settings }
  const from = ['restore', join(folder, 'first'), '--journal', join(folder, 'data', 'journal')]
  const spans = `${one}-${others.at(-1)}`
  const accepted = await trentEnded(t, [...from, '--accept-changes', spans], elsewhere, folder)
  assert.equal(accepted.code, 0, accepted.stderr)
  assert.match(accepted.stdout, new RegExp(`repeat these changes yourself:\n  ${one}  `))
  // From the second one, all of it can, and nothing has to be accepted.
  const restored = await restore('second')
  assert.equal(restored.code, 0, restored.stderr)
  const after = worldOf(await serve(t, there, settings), there)
  for (const [name, { isGone }] of prepared) {
    await assert.doesNotReject(isGone(after), `${name} came back`)
  }
})
