/**
 * The disk of the journal fails under a server that is at work: no call is answered whose record is not
 * durable, no change begins that could not be recorded, and nothing acknowledged is missing afterwards.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  type KMSClient,
  KMSServiceException,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import { nodeFiles, syncEachWrite, type FilePort, type OpenFile } from '../../src/disk/files.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { emptyMemory, remembered, type Memory } from './load.ts'
import { assertToldOnce } from './told-once.ts'

interface Disk {
  /** What the next write or sync of records meets; from then on the disk is as before. */
  next: 'no space' | 'no space after a part' | 'EIO on write' | 'EIO on sync' | undefined
  /** While true, no segment can be made. */
  full: boolean
  readonly files: FilePort
}

/** What is waited for here comes, or the test fails. */
const bounded = { timeout: 60_000 }

/** Preparing a segment writes zeros in large pieces; records come in small ones. */
const recordBytesMax = 64 * 1024

function failing(code: string): Error {
  return Object.assign(new Error(`${code}: of the test`), { code })
}

function createDisk(): Disk {
  const failingFile = (file: OpenFile): OpenFile => {
    let hasRecords = false
    return {
      ...file,
      async write(bytes, position) {
        const { next } = disk
        if (disk.full) throw failing('ENOSPC')
        hasRecords = bytes.length <= recordBytesMax
        if (!hasRecords || next === undefined || next === 'EIO on sync') {
          return file.write(bytes, position)
        }
        if (next === 'no space after a part') {
          // A full disk takes what it can, and says so at the next write only.
          disk.next = 'no space'
          return file.write(bytes.subarray(0, bytes.length / 2), position)
        }
        disk.next = undefined
        throw failing(next === 'no space' ? 'ENOSPC' : 'EIO')
      },
      async datasync() {
        const fails = hasRecords && disk.next === 'EIO on sync'
        if (fails) disk.next = undefined
        // The bytes may well have reached the disk: the system does not say.
        await file.datasync()
        if (fails) throw failing('EIO')
      },
    }
  }
  const disk: Disk = {
    next: undefined,
    full: false,
    files: {
      ...nodeFiles,
      async createDurable(path) {
        if (disk.full) throw failing('ENOSPC')
        return syncEachWrite(failingFile(await nodeFiles.create(path)))
      },
    },
  }
  return disk
}

interface Tested {
  readonly server: TestServer
  readonly client: KMSClient
  readonly disk: Disk
  readonly memory: Memory
  readonly fatal: unknown[]
  /** Stops the server and checks what it leaves against what was answered. */
  readonly end: () => Promise<void>
}

async function startOnDisk(t: TestContext): Promise<Tested> {
  const disk = createDisk()
  const fatal: unknown[] = []
  const directory = await mkdtemp(join(tmpdir(), 'trent-disk-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const onFatal = (error: unknown): void => void fatal.push(error)
  const server = await startTestServer({}, { directory, journalFiles: disk.files, onFatal })
  let ended: Promise<void> | undefined
  const stop = (): Promise<void> => (ended ??= server.stop('keep'))
  t.after(stop)
  const memory = emptyMemory()
  const end = async (): Promise<void> => {
    await stop()
    await assertToldOnce(directory, memory)
  }
  return { server, client: server.client(), disk, memory, fatal, end }
}

async function createKey({ client, memory }: Tested): Promise<string | undefined> {
  const output = await remembered('CreateKey', client.send(new CreateKeyCommand({})), memory)
  return output?.KeyMetadata?.KeyId
}

async function encrypt({ client, memory }: Tested, KeyId: string): Promise<boolean> {
  const command = new EncryptCommand({ KeyId, Plaintext: Buffer.from('secret') })
  const output = await remembered('Encrypt', client.send(command), memory)
  return output !== undefined
}

async function isReady({ server }: Tested): Promise<boolean> {
  const { ok, body } = await fetch(`${server.url}/readyz`)
  await body?.cancel()
  return ok
}

/** Waits until a new segment is open, by asking, not by the clock. */
async function untilReady(tested: Tested): Promise<void> {
  while (!(await isReady(tested)));
}

for (const fault of ['no space', 'no space after a part', 'EIO on write', 'EIO on sync'] as const) {
  test(
    `${fault}: a call whose record is not durable gives KMSInternalException and no output`,
    bounded,
    async (t) => {
      const tested = await startOnDisk(t)
      const { client, disk } = tested
      const keyId = await createKey(tested)
      assert.ok(keyId)
      disk.next = fault
      await assert.rejects(
        client.send(new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256' })),
        (error) => {
          assert.ok(error instanceof KMSServiceException)
          assert.equal(error.name, 'KMSInternalException')
          assert.equal(error.$metadata.httpStatusCode, 500)
          assert.ok(!('Plaintext' in error) && !('CiphertextBlob' in error))
          assert.doesNotMatch(error.message, /ENOSPC|EIO|journal|segment/)
          return true
        },
      )
      await untilReady(tested)
      assert.equal(await encrypt(tested, keyId), true)
      assert.deepEqual(tested.fatal, [])
      await tested.end()
    },
  )

  test(
    `${fault}: a change whose record is not durable is not acknowledged, and has one record`,
    bounded,
    async (t) => {
      const tested = await startOnDisk(t)
      const { disk, memory, client } = tested
      assert.ok(await createKey(tested))
      disk.next = fault
      assert.equal(await createKey(tested), undefined)
      assert.equal(memory.calls.at(-1)?.errorName, 'KMSInternalException')
      await untilReady(tested)
      // It committed before its record failed: the change is there, and so will its record be.
      const { Keys = [] } = await client.send(new ListKeysCommand({}))
      assert.equal(Keys.length, 2)
      assert.ok(await createKey(tested))
      await tested.end()
    },
  )
}

test(
  'callers at once: those whose batch failed are refused, and nobody else loses a record',
  bounded,
  async (t) => {
    const tested = await startOnDisk(t)
    const { disk, memory } = tested
    const keyId = await createKey(tested)
    assert.ok(keyId)
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let call = 0; call < 20; call += 1) {
        if (caller === 0 && call === 10) disk.next = 'EIO on sync'
        await (call % 4 === 0 ? createKey(tested) : encrypt(tested, keyId))
      }
    })
    await Promise.all(callers)
    const failed = memory.calls.filter(({ errorName }) => errorName !== undefined)
    assert.ok(failed.length > 0)
    for (const { errorName } of failed) assert.equal(errorName, 'KMSInternalException')
    await untilReady(tested)
    assert.ok(await createKey(tested))
    await tested.end()
  },
)

test(
  'while the journal has no healthy segment a change is refused before its transaction',
  bounded,
  async (t) => {
    const tested = await startOnDisk(t)
    const { client, disk, memory, server } = tested
    const keyId = await createKey(tested)
    assert.ok(keyId)
    disk.full = true
    assert.equal(await encrypt(tested, keyId), false)
    // The prepared segment cannot take its head, and no other can be made.
    assert.equal(await isReady(tested), false)
    const command = new CreateAliasCommand({ AliasName: 'alias/refused', TargetKeyId: keyId })
    await assert.rejects(client.send(command), { name: 'KMSInternalException' })
    assert.equal(await createKey(tested), undefined)
    assert.equal(await encrypt(tested, keyId), false)
    disk.full = false
    await untilReady(tested)
    const { Keys = [] } = await client.send(new ListKeysCommand({}))
    assert.deepEqual(
      Keys.map(({ KeyId }) => KeyId),
      [keyId],
    )
    await client.send(command)
    assert.equal(await encrypt(tested, keyId), true)
    assert.ok(server.logged.some((line) => line.includes('ENOSPC')))
    assert.ok(memory.failures.length > 0)
    await tested.end()
  },
)

test(
  'two errors within a minute are fatal: the process is to end, and nothing more is answered',
  bounded,
  async (t) => {
    const tested = await startOnDisk(t)
    const { disk, fatal } = tested
    const keyId = await createKey(tested)
    assert.ok(keyId)
    disk.next = 'EIO on write'
    assert.equal(await encrypt(tested, keyId), false)
    await untilReady(tested)
    assert.deepEqual(fatal, [])
    disk.next = 'EIO on sync'
    assert.equal(await encrypt(tested, keyId), false)
    assert.equal(fatal.length, 1)
    assert.equal(await encrypt(tested, keyId), false)
    assert.equal(await createKey(tested), undefined)
    assert.equal(await isReady(tested), false)
    await tested.end()
  },
)
