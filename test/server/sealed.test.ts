/** A sealed server: what it answers, how people open it, and how its root key is sealed anew. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { callOperator } from '../../src/operator/client.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { shownAs } from '../compat/own-operator.ts'
import { recordsOf } from '../compat/records.ts'
import { startTestServer, type TestServer } from '../harness.ts'

type Answer = Readonly<Record<string, unknown>> & { readonly shares?: readonly string[] }

interface Sealed {
  readonly server: TestServer
  readonly ask: (operation: string, input?: object) => Promise<Answer>
}

async function start(t: TestContext, seal: string, directory?: string): Promise<Sealed> {
  const folder = directory ?? mkdtempSync(join(tmpdir(), 'trent-sealed-'))
  const server = await startTestServer({ TRENT_SEAL: seal }, { directory: folder })
  t.after(() => server.stop())
  if (directory === undefined) t.after(() => rmSync(folder, { recursive: true, force: true }))
  return {
    server,
    ask: async (operation, input) => (await callOperator(folder, operation, input)) as Answer,
  }
}

async function giveAll({ ask }: Sealed, operation: string, secrets: readonly string[]) {
  let last: Answer = {}
  for (const secret of secrets) last = await ask(operation, { secret })
  return last
}

/** Makes the root key, opens it with every share, and encrypts something. */
async function initialized(t: TestContext): Promise<{
  readonly shares: readonly string[]
  readonly directory: string
  readonly blob: Uint8Array
  readonly sealed: Sealed
}> {
  const sealed = await start(t, 'shamir')
  const { shares = [] } = await sealed.ask('Initialize', { shares: 3, threshold: 2 })
  await giveAll(sealed, 'Unseal', shares)
  await sealed.server.server.ready
  const kms = sealed.server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob: blob = new Uint8Array() } = await kms.send(new EncryptCommand(input))
  return { shares, directory: sealed.server.directory, blob, sealed }
}

async function assertOpens({ server }: Sealed, CiphertextBlob: Uint8Array): Promise<void> {
  await server.server.ready
  const { Plaintext } = await server.client().send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
}

test('a server without a root key waits for it, and answers nothing else', async (t) => {
  const { server, ask } = await start(t, 'shamir')
  assert.partialDeepStrictEqual(await ask('GetStatus'), {
    sealed: true,
    ready: false,
    seal: { kind: 'shamir', initialized: false },
  })
  await assert.rejects(ask('Unseal', { secret: 'x' }), /`trent init` makes it/)
  for (const operation of ['ListAccounts', 'CreateAccount', 'SealServer', 'BeginRekey', 'NoSuch']) {
    await assert.rejects(ask(operation), /ServiceUnavailableException.*its root key is not open/)
  }
  await assert.rejects(ask('Unseal'), /ValidationException/)
  await assert.rejects(ask('Unseal', { secret: 5 }), /SerializationException/)
  await assert.rejects(server.client().send(new CreateKeyCommand({})), {
    name: 'ServiceUnavailableException',
  })
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 503)
  await assert.rejects(ask('Initialize', { shares: 3, threshold: 5 }), /2 to 16 shares/)
})

test('the first opening needs every share, later ones the threshold; both are on record', async (t) => {
  const { shares, directory, blob, sealed } = await initialized(t)
  await sealed.server.stop('keep')
  const again = await start(t, 'shamir', directory)
  const [first = '', second = '', third = ''] = shares
  await assert.rejects(
    again.ask('Unseal', { secret: first.replace(/:[0-9a-f]{4}/, ':0000') }),
    /mistyped/,
  )
  const one = await again.ask('Unseal', { secret: third })
  assert.deepEqual([one['given'], one['needed']], [[3], 2])
  await again.ask('Unseal', { secret: second })
  await assertOpens(again, blob)
  await assert.rejects(again.ask('Unseal', { secret: first }), /UnknownOperation|not sealed/)
  const records = (await recordsOf(directory)) as unknown as readonly {
    eventName: string
    serviceEventDetails?: object
  }[]
  const told = records
    .filter(({ eventName }) => eventName === 'UnsealRootKey')
    .map(({ serviceEventDetails: details }) => details)
  const set = first.split(':')[2]
  const by = { seal: 'shamir', role: 'current', set }
  assert.deepEqual(told, [
    { ...by, shares: [1, 2, 3], givers: [shownAs(), shownAs(), shownAs()], refused: 0 },
    { ...by, shares: [2, 3], givers: [shownAs(), shownAs()], refused: 1 },
  ])
})

test('a root key whose shares were lost before its first use is made anew', async (t) => {
  const sealed = await start(t, 'shamir')
  const { shares: lost = [] } = await sealed.ask('Initialize', { shares: 2, threshold: 2 })
  await sealed.ask('Unseal', { secret: lost[0] })
  const { shares = [] } = await sealed.ask('Initialize', { shares: 3, threshold: 2 })
  await assert.rejects(sealed.ask('Unseal', { secret: lost[1] }), /is of another seal/)
  await giveAll(sealed, 'Unseal', shares)
  await sealed.server.server.ready
  await sealed.server.stop('keep')
  // Once something depends on it, it is never made anew.
  const again = await start(t, 'shamir', sealed.server.directory)
  await assert.rejects(again.ask('Initialize'), /has its root key already/)
  await giveAll(again, 'Unseal', shares.slice(0, 2))
  await again.server.server.ready
})

test('no share, passphrase or root key is in a file, a log or a record', async (t) => {
  const { shares, directory, sealed } = await initialized(t)
  const passphrase = 'a passphrase that is nowhere'
  await sealed.ask('BeginRekey', { seal: 'passphrase', passphrase })
  await giveAll(sealed, 'ContinueRekey', shares.slice(0, 2))
  await assert.rejects(sealed.ask('ContinueRekey', { secret: 'another passphrase' }), /is wrong/)
  const done = await sealed.ask('ContinueRekey', { secret: passphrase })
  assert.deepEqual(done, { stage: 'done', seal: 'passphrase', setting: 'passphrase' })
  await sealed.server.stop('keep')
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
  const secrets = [passphrase, 'another passphrase']
  for (const share of shares) {
    const data = share.split(':')[5] ?? ''
    secrets.push(data, Buffer.from(data, 'hex').toString('latin1'))
  }
  for (const text of [...files, ...sealed.server.logged]) {
    for (const secret of secrets) assert.ok(!text.includes(secret))
  }
})

test('the root key moves between seals and back, and every ciphertext stays readable', async (t) => {
  const { shares, directory, blob, sealed } = await initialized(t)
  const file = `file:${join(directory, '..', `${directory.split('/').at(-1)}.key`)}`
  t.after(() => rmSync(file.slice('file:'.length), { force: true }))
  // Shares to a key file: the file is opened once, so it is in force at once.
  const asked = await sealed.ask('BeginRekey', { seal: file })
  assert.deepEqual([asked['stage'], asked['needed']], ['open', 2])
  const moved = await giveAll(sealed, 'ContinueRekey', shares.slice(1))
  assert.deepEqual(moved, { stage: 'done', seal: 'file', setting: file })
  const pin = 'a PIN that somebody typed'
  await assert.rejects(
    sealed.ask('BeginRekey', { seal: `pkcs11:token=t;object=o?pin-value=${pin}` }),
    /a PIN is never in a setting/,
  )
  await sealed.server.stop('keep')
  const records = await recordsOf(directory)
  assert.ok(!JSON.stringify(records).includes(pin))
  const last = records.findLast(({ eventName }) => eventName === 'ContinueRekey')
  assert.partialDeepStrictEqual(last, { responseElements: { stage: 'done', setting: file } })
  const { server: mistaken } = await start(t, 'passphrase', directory)
  await assert.rejects(
    mistaken.server.ready,
    /the root key is sealed by file, and TRENT_SEAL is passphrase/,
  )
  await mistaken.stop('keep')
  const byFile = await start(t, file, directory)
  await assertOpens(byFile, blob)
  // Back to shares: the former shares open nothing, and the new ones only once each has been proved.
  const { shares: next = [], ...state } = await byFile.ask('BeginRekey', {
    seal: 'shamir',
    shares: 3,
    threshold: 2,
  })
  assert.partialDeepStrictEqual(state, { stage: 'prove', given: [], needed: 3 })
  await assert.rejects(byFile.ask('ContinueRekey', { secret: shares[0] }), /is of another seal/)
  const proving = await giveAll(byFile, 'ContinueRekey', next.slice(0, 2))
  assert.deepEqual([proving['stage'], proving['given']], ['prove', [1, 2]])
  assert.partialDeepStrictEqual(await byFile.ask('GetStatus'), { seal: { kind: 'file' } })
  const proved = await byFile.ask('ContinueRekey', { secret: next[2] })
  assert.deepEqual(proved, { stage: 'done', seal: 'shamir', setting: 'shamir' })
  await byFile.server.stop('keep')
  assert.deepEqual(storedKinds(directory), { seals: 'shamir', others: [] })
  const byShares = await start(t, 'shamir', directory)
  await assert.rejects(byShares.ask('Unseal', { secret: shares[0] }), /is of another seal/)
  await giveAll(byShares, 'Unseal', next.slice(0, 2))
  await assertOpens(byShares, blob)
})

function storedKinds(directory: string): { readonly seals: unknown; readonly others: unknown } {
  const database = new DatabaseSync(join(directory, 'trent.db'), { readOnly: true })
  try {
    const [seal] = database.prepare('SELECT kind FROM seals').all()
    const others = database.prepare('SELECT role, kind FROM other_seals').all()
    return { seals: seal?.['kind'], others: others.map((row) => ({ ...row })) }
  } finally {
    database.close()
  }
}

test('a recovery seal opens the root key when the key file is gone', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const { directory } = server
  const first: Sealed = {
    server,
    ask: async (operation, input) => (await callOperator(directory, operation, input)) as Answer,
  }
  const { shares = [] } = await first.ask('BeginRekey', { recovery: true, shares: 2, threshold: 2 })
  assert.partialDeepStrictEqual(await first.ask('GetStatus'), {
    seal: { opensAlone: true, recovery: false, rekey: { stage: 'prove', seal: 'shamir' } },
  })
  // A server that stops in between goes on with the record that is stored.
  await giveAll(first, 'ContinueRekey', shares.slice(0, 1))
  await server.stop('keep')
  const second = await startTestServer({}, { directory })
  t.after(() => second.stop())
  const later: Sealed = { ...first, server: second }
  const done = await giveAll(later, 'ContinueRekey', shares)
  assert.deepEqual(done, { stage: 'done', seal: 'shamir' })
  assert.partialDeepStrictEqual(await later.ask('GetStatus'), { seal: { recovery: true } })
  await second.stop('keep')
  const path = join(directory, 'seal.key')
  rmSync(path)
  // A given seal: the helper does not wait for the start.
  const seal = Promise.resolve(fileSeal(path, systemRandom))
  const third = await startTestServer({}, { directory, seal })
  t.after(() => third.stop())
  const recovering: Sealed = { ...first, server: third }
  let status: Answer = {}
  while (!('reason' in Object(status['seal']))) status = await recovering.ask('GetStatus')
  assert.partialDeepStrictEqual(status, {
    sealed: true,
    seal: { kind: 'file', opensWith: 'recovery', asks: 'shares', given: [], needed: 2 },
  })
  await giveAll(recovering, 'Unseal', shares)
  await third.server.ready
  // A new key file takes the place of the lost one; the recovery seal stays.
  await recovering.ask('BeginRekey', { seal: `file:${path}` })
  const sealedAnew = await giveAll(recovering, 'ContinueRekey', shares)
  assert.deepEqual(sealedAnew, { stage: 'done', seal: 'file', setting: `file:${path}` })
  await third.stop('keep')
  const fourth = await startTestServer({}, { directory })
  t.after(() => fourth.stop())
  assert.partialDeepStrictEqual(await first.ask('GetStatus'), { seal: { recovery: true } })
})
