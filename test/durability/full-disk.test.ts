/**
 * A real file system that runs full under a server at work: a tmpfs of its own for the data directory, with
 * database and journal. Calls fail clearly while there is no room, and go on when there is.
 * @module
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, open, rm, rmdir, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { CreateKeyCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { startTestServer, type TestServer } from '../harness.ts'
import { eventually } from '../start/node-process.ts'
import { emptyMemory, remembered, type Memory } from './load.ts'
import { assertToldOnce } from './told-once.ts'

const run = promisify(execFile)
const megabyte = 1024 * 1024
/** Room for the reserve of 256 MiB, and twice for all that is written before the disk is full. */
const diskBytes = 512 * megabyte

/** The most time for a step, in milliseconds: it takes thousands of calls, also on a slow machine. */
const stepMaxMs = 600_000

/** @returns where it is mounted; undefined where nobody may mount, with the reason told */
async function mountDisk(t: TestContext): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'trent-full-'))
  const options = `size=${diskBytes},mode=0700`
  try {
    await run('mount', ['-t', 'tmpfs', '-o', options, 'trent-test', directory])
  } catch (error) {
    await rmdir(directory)
    const { message } = error as Error // of the program
    t.skip(`no file system can be mounted here: ${message.trim().split('\n').at(-1)}`)
    return undefined
  }
  return directory
}

/** Takes all room but so many bytes. */
async function fillUp(directory: string, leftBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const file = await open(join(directory, 'ballast'), 'a')
  try {
    const zeros = Buffer.alloc(megabyte)
    for (let bytes = bavail * bsize - leftBytes; bytes > 0;) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(bytes, zeros.length))
      bytes -= bytesWritten
    }
  } catch (error) {
    // Whoever else writes takes the last of it.
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    await file.close()
  }
}

async function readiness({ url }: TestServer): Promise<readonly [number, string]> {
  const answer = await fetch(`${url}/readyz`)
  return [answer.status, await answer.text()]
}

async function untilReadiness(server: TestServer, status: number, reason = /./): Promise<void> {
  await eventually(stepMaxMs, async () => {
    const [found, text] = await readiness(server)
    return found === status && reason.test(text)
  })
}

/** Records of some 8 KB, so that a segment is soon full. */
const context = { padding: 'p'.repeat(7000) }

interface Load {
  /** Resolves when every caller has come to its end. */
  stop(): Promise<void>
  /** How many calls were answered with an output, of each kind. */
  readonly done: { encrypts: number; keys: number }
}

function startLoad(client: KMSClient, KeyId: string, memory: Memory): Load {
  const stopping = new AbortController()
  const done = { encrypts: 0, keys: 0 }
  const encrypt = async (): Promise<void> => {
    const input = { KeyId, Plaintext: Buffer.from('secret'), EncryptionContext: context }
    const call = client.send(new EncryptCommand(input))
    if ((await remembered('Encrypt', call, memory)) !== undefined) done.encrypts += 1
  }
  const createKey = async (): Promise<void> => {
    const call = client.send(new CreateKeyCommand({}))
    if ((await remembered('CreateKey', call, memory)) !== undefined) done.keys += 1
  }
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    while (!stopping.signal.aborted) await (caller === 0 ? createKey() : encrypt())
  })
  return {
    done,
    async stop() {
      stopping.abort()
      await Promise.all(callers)
    },
  }
}

const until = (what: () => boolean): Promise<number> => eventually(stepMaxMs, async () => what())

test('a disk that runs full under load loses nothing that was answered', async (t) => {
  const directory = await mountDisk(t)
  if (directory === undefined) return
  const opened: (() => Promise<void>)[] = []
  // Whatever becomes of the test and of the server, the file system goes.
  t.after(async () => {
    await Promise.allSettled(opened.map((close) => close()))
    await run('umount', ['--lazy', directory])
    await rmdir(directory)
  })
  const fatal: unknown[] = []
  const server = await startTestServer({}, { directory, onFatal: (error) => fatal.push(error) })
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => (stopped ??= server.stop('keep'))
  opened.push(stop)
  assert.deepEqual((await readiness(server))[0], 200)
  const memory = emptyMemory()
  const client = server.client()
  const made = await remembered('CreateKey', client.send(new CreateKeyCommand({})), memory)
  const load = startLoad(client, made?.KeyMetadata?.KeyId ?? '', memory)
  opened.unshift(() => load.stop())

  // Below the reserve: traffic is to go elsewhere, and what comes is served all the same.
  await fillUp(directory, 100 * megabyte)
  await untilReadiness(server, 503, /nearly full/)
  const { encrypts, keys } = load.done
  await until(() => load.done.encrypts > encrypts && load.done.keys > keys)
  assert.deepEqual(memory.failures, [])

  // Nothing left: first the database has no room, then the journal no segment.
  await fillUp(directory, 0)
  await until(() => memory.failures.length > 0)
  await untilReadiness(server, 503, /no healthy segment/)
  await until(() => memory.calls.slice(-20).every(({ errorName }) => errorName !== undefined))
  const refused = new Set(memory.calls.slice(-20).map(({ errorName }) => errorName))
  assert.deepEqual([...refused], ['KMSInternalException'])
  assert.ok(server.logged.some((line) => line.includes('ENOSPC')))

  // Room again: the same process goes on. No calls meanwhile: they could fill the disk anew.
  await load.stop()
  await rm(join(directory, 'ballast'))
  await untilReadiness(server, 200)
  const later = startLoad(client, made?.KeyMetadata?.KeyId ?? '', memory)
  opened.unshift(() => later.stop())
  await until(() => later.done.encrypts > 10 && later.done.keys > 3)
  await later.stop()
  assert.deepEqual(fatal, [])
  await stop()
  t.diagnostic(`${memory.calls.length} calls answered, ${memory.failures.length} as failures`)
  await assertToldOnce(directory, memory)
})
