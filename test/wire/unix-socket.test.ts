import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { post, rawClient } from './raw-client.ts'
import { okay, running } from './running-listener.ts'

const bounded = { timeout: 30_000 }

async function place(t: TestContext): Promise<{ directory: string; socketPath: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'trent-'))
  t.after(() => rm(directory, { recursive: true }))
  return { directory, socketPath: join(directory, 'operator.sock') }
}

test(
  'the operator socket serves its owner alone, and is gone when it is closed',
  bounded,
  async (t) => {
    const { directory, socketPath } = await place(t)
    const listener = await running(t, {}, okay, { socketPath })
    const found = await stat(socketPath)
    assert.ok(found.isSocket())
    assert.equal(found.mode & 0o777, 0o600)
    assert.deepEqual(await readdir(directory), ['operator.sock'])
    assert.deepEqual([listener.host, listener.port], ['', 0])
    const client = rawClient({ path: socketPath })
    client.write(post('{}'))
    await client.until(/ok 2$/)
    assert.equal(listener.seen[0]?.listener, 'operator')
    assert.equal(listener.seen[0]?.remoteAddress, '')
    assert.partialDeepStrictEqual(listener.seen[0]?.peer, { uid: process.geteuid?.() })
    client.socket.destroy()
    await listener.close(0)
    assert.deepEqual(await readdir(directory), [])
  },
)

test('a socket that a living server answers is not taken from it', bounded, async (t) => {
  const { directory, socketPath } = await place(t)
  await running(t, {}, okay, { socketPath })
  await assert.rejects(running(t, {}, okay, { socketPath }), /another process listens at/)
  assert.deepEqual(await readdir(directory), ['operator.sock'])
  const client = rawClient({ path: socketPath })
  client.write(post(''))
  await client.until(/ok 0$/)
  client.socket.destroy()
})

test('a socket that a killed server left is replaced', bounded, async (t) => {
  const { socketPath } = await place(t)
  const script = `require('net').createServer().listen(process.argv[1], () => console.log('up'))`
  const child = spawn(process.execPath, ['-e', script, socketPath])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok((await stat(socketPath)).isSocket())
  await running(t, {}, okay, { socketPath })
  const client = rawClient({ path: socketPath })
  client.write(post(''))
  await client.until(/ok 0$/)
  client.socket.destroy()
})

test('a file that is no socket is left as it is', bounded, async (t) => {
  const { directory, socketPath } = await place(t)
  await writeFile(socketPath, 'precious')
  await assert.rejects(running(t, {}, okay, { socketPath }), /something that is no socket/)
  assert.deepEqual(await readdir(directory), ['operator.sock'])
  assert.ok((await stat(socketPath)).isFile())
})

test('a socket that has taken a closed one’s place is not removed with it', bounded, async (t) => {
  const { socketPath } = await place(t)
  const listener = await running(t, {}, okay, { socketPath })
  await rm(socketPath)
  const later = createServer().listen(socketPath)
  await once(later, 'listening')
  await listener.close(0)
  assert.ok((await stat(socketPath)).isSocket())
  later.close()
})

test('a path that is too long is refused, and nothing is left of it', bounded, async (t) => {
  const { directory } = await place(t)
  const socketPath = join(directory, 'x'.repeat(100))
  await assert.rejects(running(t, {}, okay, { socketPath }), /longer than a system takes/)
  assert.deepEqual(await readdir(directory), [])
})
