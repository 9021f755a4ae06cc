/** What becomes of the journal's closed segments: a start tells, and what a refused start leaves is no break. */
import assert from 'node:assert/strict'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'
import { refusal } from '../start/refusal.ts'
import { end, serve, temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { clientOf, settings } from './fixed-account.ts'

test('a start tells of each closed segment that is missing or was changed, and serves', async (t) => {
  const first = await startTestServer()
  const { directory } = first
  t.after(() => rm(directory, { recursive: true, force: true }))
  await first.stop('keep')
  for (let starts = 0; starts < 4; starts += 1) {
    const server = await startTestServer({}, { directory })
    await server.client().send(new CreateKeyCommand({}))
    await server.stop('keep')
    assert.ok(!server.logged.some((line) => line.includes('the journal is damaged')))
  }
  const stream = join(directory, 'journal', 'worker-0')
  const names = (await readdir(stream)).toSorted()
  assert.equal(names.length, 5)
  await rm(join(stream, names[1] ?? ''))
  const path = join(stream, names[3] ?? '')
  const bytes = await readFile(path)
  bytes[400] = (bytes[400] ?? 0) ^ 1
  await writeFile(path, bytes)
  const server = await startTestServer({}, { directory })
  t.after(() => server.stop('keep'))
  const told = (segment: number): boolean =>
    server.logged.some((line) => line.includes(`segment ${segment} of stream worker-0`))
  while (!told(2) || !told(4)) await delay(20)
  assert.ok(!told(1) && !told(3) && !told(5))
  assert.ok(server.logged.some((line) => line.includes('segment 2 of stream worker-0, offset 0: ')))
  await server.client().send(new CreateKeyCommand({}))
})

test('what a start that was refused for its key file leaves is no break, a crash before it or not', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const server = await serve(t, folder, settings)
  const client = clientOf(server)
  await client.send(new CreateKeyCommand({}))
  client.destroy()
  // Its last records are behind the last checkpoint.
  await end(server, 'SIGKILL')
  await rename(join(data, 'seal.key'), join(data, 'seal.away'))
  for (let starts = 0; starts < 2; starts += 1) {
    assert.match(await refusal(t, folder, settings), /^key file .* is missing$/)
  }
  const verify = () => trentEnded(t, ['verify-log', join(data, 'journal')], {}, folder)
  const between = await verify()
  assert.equal(between.code, 0, between.stdout)
  await rename(join(data, 'seal.away'), join(data, 'seal.key'))
  await end(await serve(t, folder, settings), 'SIGTERM')
  const after = await verify()
  assert.equal(after.code, 0, after.stdout)
})
