/** The end of imported material: by its date, by a clock that nobody vouches for, and in the files. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import {
  accountId,
  clockIsCompared,
  region,
  sqliteOnly,
  startTestServer,
  type TestServer,
} from '../harness.ts'
import { asNew, importing } from './importing.ts'
import { recordsOf } from './records.ts'
import { rotating } from './rotating.ts'
import { refused } from './sdk.ts'
import { advance } from './test-clock.ts'

const Plaintext = Buffer.from('until then')
const dayMs = 86_400_000
const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`
const inFuture = (ms: number): Date => new Date(Math.ceil(Date.now() / 1000) * 1000 + ms)

async function expiriesOf({ directory }: TestServer): Promise<readonly unknown[]> {
  const records = await recordsOf(directory)
  return records
    .filter(({ eventName }) => eventName === 'DeleteExpiredKeyMaterial')
    .map((record) => ({ ...record })['serviceEventDetails' as never])
}

test('material is gone at its date and not before, key by key, and comes again', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, parameters, send, state, history, metadata } = importing(kms)
  const material = randomBytes(32)
  const ValidTo = inFuture(30 * dayMs)
  const make = async (): Promise<string> => {
    const KeyId = await makeExternal()
    await send(KeyId, material, await parameters(KeyId), { ValidTo })
    return KeyId
  }
  const [KeyId, disabled, dying] = [await make(), await make(), await make()]
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 30 }))
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await advance(server.url, '29d')
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(await expiriesOf(server), [])
  await kms.send(new CancelKeyDeletionCommand({ KeyId: dying }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying, PendingWindowInDays: 30 }))
  await advance(server.url, '2d')
  for (const id of [KeyId, disabled]) assert.equal(await state(id), 'PendingImport -')
  const { CurrentKeyMaterialId: id } = await metadata(KeyId)
  // As AWS does, the list goes on telling what the material was.
  const expires = `CURRENT IMPORTED KEY_MATERIAL_EXPIRES ${ValidTo.toISOString()}`
  assert.deepEqual(await history(KeyId), [`${id?.slice(0, 6)} ${expires}`])
  const pending = `${arnOf(KeyId)} is pending import.`
  for (const call of [
    new DecryptCommand({ CiphertextBlob }),
    new EncryptCommand({ KeyId, Plaintext }),
    new EnableKeyCommand({ KeyId }),
  ]) {
    await refused(kms.send(call as EncryptCommand), 'KMSInvalidStateException', pending)
  }
  // A key that is to be deleted goes on dying, and comes back without its material.
  assert.equal(await state(dying), 'PendingDeletion -')
  await kms.send(new CancelKeyDeletionCommand({ KeyId: dying }))
  assert.equal(await state(dying), 'PendingImport -')
  const details = await expiriesOf(server)
  assert.equal(details.length, 3)
  const mine = { keyId: KeyId, keyMaterialId: id }
  assert.deepEqual(
    details.filter((each) => (each as typeof mine).keyId === KeyId),
    [mine],
  )
  const event = (await recordsOf(server.directory)).find(
    ({ eventName }) => eventName === 'DeleteExpiredKeyMaterial',
  )
  const { eventType, userIdentity, responseElements } = { ...event } as Record<string, unknown>
  assert.deepEqual(
    [eventType, userIdentity, responseElements],
    ['AwsServiceEvent', { accountId, invokedBy: 'AWS Internal' }, null],
  )
  await send(KeyId, material, await parameters(KeyId))
  assert.equal(await state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test('what waits for its rotation expires without the key, and is rotated to all the same', async (t) => {
  const server = await startTestServer({ TRENT_TEST_API: 'on' })
  t.after(() => server.stop())
  const kms = server.client()
  const { makeExternal, parameters, send, state, metadata } = importing(kms)
  const KeyId = await makeExternal()
  const [first, second] = [randomBytes(32), randomBytes(32)]
  const by = await parameters(KeyId)
  await send(KeyId, first, by)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  const waiting = { ValidTo: inFuture(3_600_000), ImportType: 'NEW_KEY_MATERIAL' } as const
  const { KeyMaterialId } = await send(KeyId, second, by, waiting)
  await advance(server.url, '2h')
  assert.equal(await state(KeyId), 'Enabled KEY_MATERIAL_DOES_NOT_EXPIRE')
  await assert.rejects(send(KeyId, second, by, asNew), { name: 'IncorrectKeyMaterialException' })
  await rotating(kms).rotate(KeyId)
  assert.equal(await state(KeyId), 'PendingImport -')
  assert.equal((await metadata(KeyId)).CurrentKeyMaterialId, KeyMaterialId)
  await refused(
    kms.send(new DecryptCommand({ CiphertextBlob })),
    'KMSInvalidStateException',
    `${arnOf(KeyId)} is pending import.`,
  )
  await send(KeyId, second, by)
  await kms.send(new DecryptCommand({ CiphertextBlob }))
})

test(
  'what has expired while nothing ran is unusable from the first call on, and deleted',
  { skip: clockIsCompared },
  async (t) => {
    let skew = 0
    const time = { system: () => Date.now() + skew, monotonic: () => performance.now() }
    const server = await startTestServer({}, { time })
    const { makeExternal, parameters, send } = importing(server.client())
    const KeyId = await makeExternal()
    const ValidTo = inFuture(2 * dayMs)
    const { KeyMaterialId } = await send(KeyId, randomBytes(32), await parameters(KeyId), {
      ValidTo,
    })
    await server.stop('keep')
    skew = 3 * dayMs
    const again = await startTestServer({}, { time, directory: server.directory })
    t.after(() => again.stop())
    const client = again.client({ systemClockOffset: skew })
    await refused(
      client.send(new EncryptCommand({ KeyId, Plaintext })),
      'KMSInvalidStateException',
      `${arnOf(KeyId)} is pending import.`,
    )
    let details = await expiriesOf(again)
    while (details.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      details = await expiriesOf(again)
    }
    assert.deepEqual(details, [{ keyId: KeyId, keyMaterialId: KeyMaterialId }])
  },
)

test(
  'a clock set ten years on makes material unusable, and deletes it when somebody vouches for it',
  { skip: clockIsCompared },
  async (t) => {
    let skew = 0
    const time = { system: () => Date.now() + skew, monotonic: () => performance.now() }
    const server = await startTestServer({}, { time })
    t.after(() => server.stop())
    const { makeExternal, parameters, send } = importing(server.client())
    const KeyId = await makeExternal()
    await send(KeyId, randomBytes(32), await parameters(KeyId), { ValidTo: inFuture(dayMs) })
    skew = 3650 * dayMs
    // The SDK sets the clock of a client by the answers it gets: each call has its own.
    const client = (): ReturnType<TestServer['client']> =>
      server.client({ systemClockOffset: skew })
    await refused(
      client().send(new EncryptCommand({ KeyId, Plaintext })),
      'KMSInvalidStateException',
      `${arnOf(KeyId)} is pending import.`,
    )
    const alarmed = (): boolean => server.logged.some((line) => line.includes('trent clock accept'))
    while (!alarmed()) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(await importing(client()).state(KeyId), 'PendingImport -')
    const [before = ''] = await importing(client()).history(KeyId)
    assert.match(before, / CURRENT IMPORTED KEY_MATERIAL_EXPIRES /)
    assert.deepEqual(await expiriesOf(server), [])
    await callOperator(server.directory, 'AcceptClock')
    assert.equal((await expiriesOf(server)).length, 1)
    const [after = ''] = await importing(client()).history(KeyId)
    assert.equal(after, before)
  },
)

const skip = sqliteOnly('reads the files of SQLite')

/** The wrapped bytes of every material, as they are in the database. */
function wrappedIn(directory: string): readonly Buffer[] {
  const database = new DatabaseSync(join(directory, 'trent.db'))
  const rows = database.prepare('SELECT wrapped FROM key_materials').all()
  database.close()
  return rows.map(({ wrapped }) => Buffer.from(wrapped as Uint8Array))
}

function filesWith(directory: string, bytes: Uint8Array): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(bytes))
}

test(
  'what was deleted, by a call or by its date, is in no file, and no plaintext ever was',
  { skip },
  async (t) => {
    const first = await startTestServer({ TRENT_TEST_API: 'on' })
    const { directory } = first
    const { makeExternal, parameters, send } = importing(first.client())
    const [deleted, expired] = [await makeExternal(), await makeExternal()]
    const materials = [randomBytes(32), randomBytes(32)] as const
    await send(deleted, materials[0], await parameters(deleted))
    const ValidTo = inFuture(3_600_000)
    await send(expired, materials[1], await parameters(expired), { ValidTo })
    await first.stop('keep')
    const wrapped = wrappedIn(directory)
    assert.equal(wrapped.length, 2)
    for (const bytes of wrapped) assert(filesWith(directory, bytes).length > 0)
    const again = await startTestServer({ TRENT_TEST_API: 'on' }, { directory })
    t.after(() => again.stop())
    await importing(again.client()).take(deleted)
    await advance(again.url, '2h')
    const left = (): number =>
      wrapped.filter((bytes) => filesWith(directory, bytes).length > 0).length
    const deadline = Date.now() + 60_000
    while (left() > 0) {
      assert(Date.now() < deadline, 'wrapped material stays in the files')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    for (const material of materials) assert.deepEqual(filesWith(directory, material), [])
  },
)
