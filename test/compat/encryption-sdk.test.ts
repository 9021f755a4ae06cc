/**
 * The AWS Encryption SDK over Trent's keys: for JavaScript, and crosswise with the one for Python, under
 * the commitment policy that both have by default.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
} from '@aws-crypto/client-node'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { accountId, credentials, region, startTestServer, type TestServer } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const crypt = join(import.meta.dirname, 'encryption-sdk', 'crypt.py')

type KeyringInput = NonNullable<ConstructorParameters<typeof KmsKeyringNode>[0]>

test('a message of several MB streams through a generator and an additional key', async (t) => {
  const { arns, keyring } = await startWithKeys(t, 2)
  const [generatorKeyId = '', additional = ''] = arns
  const plaintext = randomBytes(5 * 2 ** 20 + 7)
  const encryptionContext = { purpose: 'test', tenant: 'Zürich' }
  const encrypt = sdk.encryptStream(keyring({ generatorKeyId, keyIds: [additional] }), {
    encryptionContext,
  })
  const sealed = await through(plaintext, encrypt)
  assert.ok(sealed.length > plaintext.length)
  assert.equal(sealed.includes(plaintext.subarray(0, 64)), false)

  // Each key opens the message alone: the additional one has a sealed data key of its own.
  for (const keyId of arns) {
    const decrypt = sdk.decryptStream(keyring({ keyIds: [keyId] }))
    const headers: Record<string, string>[] = []
    decrypt.once('MessageHeader', (header) => headers.push({ ...header.encryptionContext }))
    assert.ok(plaintext.equals(await through(sealed, decrypt)))
    assert.equal(headers.length, 1)
    assert.equal(headers[0]?.['purpose'], 'test')
    assert.equal(headers[0]?.['tenant'], 'Zürich')
  }
})

test('an alias generates, and a discovery keyring opens without being told the key', async (t) => {
  const { server, arns, keyring } = await startWithKeys(t, 1)
  const [TargetKeyId = ''] = arns
  const AliasName = 'alias/encryption-sdk'
  await server.client().send(new CreateAliasCommand({ AliasName, TargetKeyId }))
  const generatorKeyId = `arn:aws:kms:${region}:${accountId}:${AliasName}`
  const { result } = await sdk.encrypt(keyring({ generatorKeyId }), 'hello')
  const discovery = keyring({ discovery: true })
  const { plaintext, messageHeader } = await sdk.decrypt(discovery, result)
  assert.equal(plaintext.toString(), 'hello')
  assert.equal(messageHeader.encryptedDataKeys[0]?.providerInfo, TargetKeyId)

  const filter = (account: string): KeyringInput => ({
    discovery: true,
    discoveryFilter: { accountIDs: [account], partition: 'aws' },
  })
  assert.equal(
    (await sdk.decrypt(keyring(filter(accountId)), result)).plaintext.toString(),
    'hello',
  )
  await assert.rejects(sdk.decrypt(keyring(filter('444455556666')), result), /unencryptedDataKey/)
})

test('a key that did not seal, and a message that was changed, open nothing', async (t) => {
  const { arns, keyring } = await startWithKeys(t, 2)
  const [generatorKeyId = '', other = ''] = arns
  const { result } = await sdk.encrypt(keyring({ generatorKeyId }), 'hello', {
    encryptionContext: { purpose: 'test' },
  })
  const right = keyring({ keyIds: [generatorKeyId] })
  assert.equal((await sdk.decrypt(right, result)).plaintext.toString(), 'hello')
  await assert.rejects(sdk.decrypt(keyring({ keyIds: [other] }), result), /unencryptedDataKey/)

  const context = result.indexOf('purpose')
  assert.ok(context > 0)
  // In the context that the message carries, in the sealed data key, and in the last tag.
  for (const at of [
    context,
    result.indexOf(generatorKeyId) + generatorKeyId.length + 60,
    result.length - 1,
  ]) {
    const changed = Buffer.from(result)
    changed[at] = (changed[at] ?? 0) ^ 1
    await assert.rejects(sdk.decrypt(right, changed), { name: 'Error' }, `byte ${at}`)
  }
})

test('a key disabled or pending deletion opens nothing until the other one does', async (t) => {
  const { server, arns, keyring } = await startWithKeys(t, 2)
  const [first = '', second = ''] = arns
  const client = server.client()
  const { result } = await sdk.encrypt(
    keyring({ generatorKeyId: first, keyIds: [second] }),
    'hello',
  )
  await client.send(new DisableKeyCommand({ KeyId: first }))
  await assert.rejects(sdk.decrypt(keyring({ keyIds: [first] }), result), /is disabled/)
  await assert.rejects(sdk.encrypt(keyring({ generatorKeyId: first }), 'hello'), /is disabled/)
  const both = keyring({ keyIds: [first, second] })
  assert.equal((await sdk.decrypt(both, result)).plaintext.toString(), 'hello')
  await client.send(new ScheduleKeyDeletionCommand({ KeyId: second, PendingWindowInDays: 7 }))
  await assert.rejects(sdk.decrypt(both, result), /is disabled|is pending deletion/)
})

test(
  'Python encrypts and JavaScript decrypts, and the other way',
  { skip: clients.skip },
  async (t) => {
    const { server, print, json, write, folder, newKey } = await openWorkplace(t, clients)
    const ids = [await newKey(), await newKey()]
    const arns = ids.map((id) => `arn:aws:kms:${region}:${accountId}:key/${id}`)
    const [first = '', second = ''] = arns
    const keyring = keyringsOf(server)
    const plaintext = randomBytes(2 ** 20 + 3)
    await write('plain', plaintext)

    await print(
      `python '${crypt}' encrypt ${arns.join(',')} plain from-python 'team=Zürich' purpose=cross`,
    )
    const opened = await sdk.decrypt(
      keyring({ keyIds: [second] }),
      await readFile(join(folder, 'from-python')),
    )
    assert.ok(plaintext.equals(opened.plaintext))
    assert.equal(opened.messageHeader.encryptionContext['team'], 'Zürich')
    assert.equal(opened.messageHeader.encryptionContext['purpose'], 'cross')

    const encryptionContext = { team: 'Genève', purpose: 'back' }
    const sealed = await sdk.encrypt(
      keyring({ generatorKeyId: first, keyIds: [second] }),
      plaintext,
      {
        encryptionContext,
      },
    )
    await write('from-javascript', sealed.result)
    const context = await json(`python '${crypt}' decrypt ${second} from-javascript opened`)
    assert.ok(plaintext.equals(await readFile(join(folder, 'opened'))))
    const { 'aws-crypto-public-key': publicKey, ...given } = context as Record<string, string>
    assert.equal(typeof publicKey, 'string')
    assert.deepEqual(given, encryptionContext)
  },
)

interface Started {
  readonly server: TestServer
  readonly arns: readonly string[]
  readonly keyring: (input: KeyringInput) => KmsKeyringNode
}

async function startWithKeys(t: TestContext, count: number): Promise<Started> {
  const server = await startTestServer()
  t.after(() => server.stop())
  const client = server.client()
  const arns: string[] = []
  for (let made = 0; made < count; made += 1) {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
    arns.push(KeyMetadata?.Arn ?? '')
  }
  return { server, arns, keyring: keyringsOf(server) }
}

function keyringsOf(server: TestServer): (input: KeyringInput) => KmsKeyringNode {
  const settings = { region, endpoint: server.url, credentials, maxAttempts: 1 }
  // The keyring is typed for the version of the SDK that it brings, and ours is another.
  const clientProvider = getClient(KMS as never, settings as never)
  return (input) => new KmsKeyringNode({ clientProvider, ...input })
}

async function through(input: Buffer, transform: NodeJS.ReadWriteStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  const pieces = Readable.from(slices(input))
  await pipeline(pieces, transform, async (output: AsyncIterable<Buffer>) => {
    for await (const chunk of output) chunks.push(chunk)
  })
  return Buffer.concat(chunks)
}

/** In pieces that end where no frame does. */
function* slices(input: Buffer): Generator<Buffer> {
  const bytes = 100_003
  for (let at = 0; at < input.length; at += bytes) yield input.subarray(at, at + bytes)
}
