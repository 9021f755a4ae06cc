/**
 * Whatever bytes and secrets a broad run sends or is answered, none of them is in a record, a log line, a
 * refusal, a looked-up event, a delivered file, what the webhook is told, a figure, or any file that the server
 * writes.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { IAMClient } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { GetFederationTokenCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { secretText, startReceiver, type Receiver } from '../events/receiver.ts'
import { credentials, databaseUrlOf, type TestServer } from '../harness.ts'
import { startFakeProxy } from '../keystores/external/fake-proxy.ts'
import { goldenRecords } from './golden-story.ts'
import { openIdentities } from './identities.ts'
import { recordTexts } from './records.ts'
import { storedValues } from './stored.ts'
import { advance } from './test-clock.ts'
import { lookUpSoon, trailClient } from './trails.ts'

const planted = 'planted-secret-2718281828459045'

/** Members that hold a secret as text; bytes are all taken for one. */
const secretTexts = new Set([
  'SecretAccessKey',
  'SessionToken',
  'GrantToken',
  'GrantTokens',
  'RawSecretAccessKey',
  'secretAccessKey',
  'sessionToken',
])
/** Shorter ones are found by chance. */
const bytesMin = 12

const secrets = new Map<string, string>()
const refusals: string[] = []

function collect(value: unknown, path: string, secret = false): void {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value)
    if (bytes.length < bytesMin) return
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      secrets.set(bytes.toString(encoding), path)
    }
  } else if (typeof value === 'string') {
    if (secret && value.length >= bytesMin) secrets.set(value, path)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      collect(member, `${path}.${name}`, secret || secretTexts.has(name))
    }
  }
}

type Client = KMSClient | IAMClient | STSClient
const watched = new WeakSet<Client>()

/** Sees each call of the client: what goes in, the signature, what comes out or is refused. */
function watch(client: Client): void {
  if (watched.has(client)) return
  watched.add(client)
  // The three have one stack of middleware, of their own types each.
  const { middlewareStack } = client as KMSClient
  middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context.commandName)
      collect(args.input, `input of ${name}`)
      try {
        const result = await next(args)
        collect(result.output, `output of ${name}`)
        return result
      } catch (error) {
        refusals.push(`${String(error)} ${JSON.stringify(error)}`)
        throw error
      }
    },
    { step: 'initialize', name: 'watchValues' },
  )
  middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Readonly<Record<string, string>> }
      const [, signature] = /Signature=([0-9a-f]{64})/.exec(headers['authorization'] ?? '') ?? []
      if (signature !== undefined) secrets.set(signature, 'a signature')
      return next(args)
    },
    { step: 'deserialize', name: 'watchSignature', priority: 'low' },
  )
}

/** Every client that sends anything in this process. */
for (const { prototype } of [KMSClient, IAMClient, STSClient]) {
  const { send } = prototype as { send: (this: Client, ...args: unknown[]) => unknown }
  Object.assign(prototype, {
    send(this: Client, ...args: unknown[]) {
      watch(this)
      return send.apply(this, args)
    },
  })
}

async function filesOf(folder: string): Promise<readonly (readonly [string, Buffer])[]> {
  const files: (readonly [string, Buffer])[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    files.push([path, path.endsWith('.gz') ? gunzipSync(bytes) : bytes])
  }
  return files
}

function requireNone(where: string, text: string): void {
  for (const [secret, what] of secrets) assert(!text.includes(secret), `${what} is in ${where}`)
}

/** Every kind of event, and one that goes into the file of the dead. */
async function tellAll(
  kms: KMSClient,
  { KeyId, ciphertext }: { readonly KeyId: string; readonly ciphertext: Uint8Array },
  { heard, takes, taken, answer }: Receiver,
  { url, logged }: TestServer,
): Promise<void> {
  const kinds = (): ReadonlySet<string> => new Set(taken.map((told) => told['detail-type']))
  for (let count = 0; kinds().size < 3; count = taken.length) await takes(count + 1)
  await kms.send(new DisableKeyCommand({ KeyId }))
  const before = heard.length
  answer(503)
  const refused = new DecryptCommand({ CiphertextBlob: ciphertext })
  await assert.rejects(kms.send(refused), { name: 'DisabledException' })
  while (heard.length === before) await sleep(50)
  const [last] = heard.slice(before)
  assert.equal(last?.told['detail-type'], 'AWS API Call via CloudTrail')
  await advance(url, '25h')
  while (!logged.some((line) => line.includes('are in dead-events.jsonl'))) await sleep(50)
  answer(204)
}

test(
  'no secret of a broad run is anywhere but in its call and its answer',
  { timeout: 600_000 },
  async (t) => {
    const archive = await mkdtemp(join(tmpdir(), 'trent-archive-'))
    t.after(() => rm(archive, { recursive: true, force: true }))
    const receiver = await startReceiver(t)
    const proxy = await startFakeProxy()
    t.after(() => proxy.stop())
    const proxyFiles = await mkdtemp(join(tmpdir(), 'trent-proxy-'))
    t.after(() => rm(proxyFiles, { recursive: true, force: true }))
    const identities = await openIdentities(t, {
      ...proxy.settings(proxyFiles),
      TRENT_TEST_API: 'on',
      TRENT_AUDIT_DIR: archive,
      ...receiver.settings,
    })
    const { server, root } = identities
    await goldenRecords(identities)
    const { kms, sts } = root
    collect(credentials, 'the root user')
    secrets.set(secretText, 'the secret of the webhook')
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId
    const Plaintext = Buffer.from(planted)
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
    const signed = { Message: Plaintext, Signature: Buffer.alloc(64, 7) }
    for (const refused of [
      new DecryptCommand({ CiphertextBlob, EncryptionContext: { not: 'it' } }),
      new DecryptCommand({ CiphertextBlob, KeyId: 'alias/nothing' }),
      new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097, planted) }),
      new EncryptCommand({ KeyId, Plaintext, DryRun: true }),
      new VerifyCommand({ KeyId, ...signed, SigningAlgorithm: 'ECDSA_SHA_256' }),
      new ImportKeyMaterialCommand({
        KeyId,
        ImportToken: Plaintext,
        EncryptedKeyMaterial: Plaintext,
      }),
    ]) {
      await assert.rejects(kms.send(refused as EncryptCommand))
    }
    await sts.send(new GetSessionTokenCommand({}))
    await sts.send(new GetFederationTokenCommand({ Name: 'somebody' }))
    assert(secrets.size > 250, `${secrets.size} secrets`)
    assert(refusals.length >= 6)

    const ciphertext = CiphertextBlob ?? assert.fail('nothing was encrypted')
    await tellAll(kms, { KeyId: String(KeyId), ciphertext }, receiver, server)
    requireNone('what the webhook is told', receiver.heard.map(({ body }) => body).join('\n'))

    const events = await lookUpSoon(trailClient(t, server), 50)
    requireNone('an event', events.map(({ CloudTrailEvent }) => CloudTrailEvent).join('\n'))
    const records = await recordTexts(server.directory)
    requireNone('a record', records.join('\n'))
    requireNone('the log', server.logged.join('\n'))
    requireNone('a refusal', refusals.join('\n'))
    const figures = await fetch(`${server.url}/metrics`)
    requireNone('the figures', await figures.text())
    await server.server.stop()
    const files = [...(await filesOf(server.directory)), ...(await filesOf(archive))]
    assert(
      files.some(([path]) => path.endsWith('.json.gz')),
      'something was delivered',
    )
    assert(
      files.some(([path]) => path.endsWith('dead-events.jsonl')),
      'the webhook would not take something',
    )
    requireNone('a row', (await storedValues(server.directory)).toString('latin1'))
    for (const [path, bytes] of files) {
      if (path.endsWith('credentials')) continue // made to hold the secret of the root user
      requireNone(path, bytes.toString('latin1'))
    }
  },
)

test('what is looked for would be found: a description is in record, event and database', async (t) => {
  const { server, root } = await openIdentities(t)
  await root.kms.send(new CreateKeyCommand({ Description: planted }))
  const [event] = await lookUpSoon(trailClient(t, server), 1, {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateKey' }],
  })
  assert(event?.CloudTrailEvent?.includes(planted))
  assert((await recordTexts(server.directory)).join('\n').includes(planted))
  await server.server.stop()
  assert((await storedValues(server.directory)).includes(planted))
  if (databaseUrlOf(server.directory) !== undefined) return
  const files = await filesOf(server.directory)
  assert(files.some(([path, bytes]) => path.endsWith('.db') && bytes.includes(planted)))
})
