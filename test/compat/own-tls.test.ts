/** A server with TLS of its own: what its callers, policies, records and metrics see. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { Agent, type AgentOptions } from 'node:https'
import { join } from 'node:path'
import { before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  EncryptCommand,
  ListKeysCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { getOverTls } from '../tls/get.ts'
import { writtenTls, type WrittenTls } from '../tls/files.ts'
import { certified, type Certified } from '../wire/certificate.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'

const root = `arn:aws:iam::${accountId}:root`
const Policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
    {
      Sid: 'DenyWithoutTls',
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:*',
      Resource: '*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ],
})
const bounded = { timeout: 60_000 }
const Plaintext = Buffer.from('x')

let own: Certified
let other: Certified
before(async () => {
  ;[own, other] = await Promise.all([certified('localhost'), certified('localhost')])
})

interface Served extends WrittenTls {
  readonly server: TestServer
  /** A client with connections of its own. By default, it trusts the first certificate's authority. */
  readonly client: (tls?: AgentOptions) => KMSClient
}

async function served(
  t: TestContext,
  settings: Parameters<typeof startTestServer>[0] = {},
): Promise<Served> {
  const written = writtenTls(t, own)
  const server = await startTestServer({ ...written.settings, ...settings })
  t.after(() => server.stop())
  const client: Served['client'] = (tls) =>
    server.client({
      endpoint: `https://localhost:${server.port}`,
      requestHandler: { httpsAgent: new Agent({ ca: own.authority, keepAlive: true, ...tls }) },
    })
  return { ...written, server, client }
}

const got = ({ server }: Served, path: string): Promise<string> =>
  getOverTls(server.port, path, own.authority)

test(
  'calls over TLS satisfy aws:SecureTransport, and their records say how they came',
  bounded,
  async (t) => {
    const each = await served(t)
    const { keyId: KeyId } = await makeKey(each.client(), { Policy })
    await each.client().send(new EncryptCommand({ KeyId, Plaintext }))
    await each.client({ maxVersion: 'TLSv1.2' }).send(new EncryptCommand({ KeyId, Plaintext }))
    const records = (await recordsOf(each.server.directory)).filter(
      ({ eventName }) => eventName === 'Encrypt',
    )
    const clientProvidedHostHeader = `localhost:${each.server.port}`
    assert.deepEqual(
      records.map((record) => (record as { tlsDetails?: unknown }).tlsDetails),
      [
        { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader },
        {
          tlsVersion: 'TLSv1.2',
          cipherSuite: 'ECDHE-ECDSA-AES128-GCM-SHA256',
          clientProvidedHostHeader,
        },
      ],
    )
    const asked = { caller: root, action: 'kms:Encrypt', key: KeyId, sourceIp: '203.0.113.7' }
    const { now } = (await callOperator(each.server.directory, 'ExplainAccess', asked)) as {
      readonly now: { readonly decision: string }
    }
    assert.equal(now.decision, 'allow')
  },
)

test(
  'a proxy on the way decides what is secure, and its own TLS is on no record',
  bounded,
  async (t) => {
    const each = await served(t, { TRENT_TRUSTED_PROXIES: '127.0.0.1' })
    const { keyId: KeyId } = await makeKey(each.client(), { Policy })
    const through = (scheme: string): KMSClient => {
      const client = each.client()
      client.middlewareStack.add(
        (next) => (args) => {
          const { headers } = args.request as { headers: object } // an HttpRequest
          Object.assign(headers, { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': scheme })
          return next(args)
        },
        { step: 'deserialize', name: 'proxy' },
      )
      return client
    }
    await through('https').send(new EncryptCommand({ KeyId, Plaintext }))
    await assert.rejects(through('http').send(new EncryptCommand({ KeyId, Plaintext })), {
      name: 'AccessDeniedException',
    })
    const records = (await recordsOf(each.server.directory)).filter(
      ({ eventName }) => eventName === 'Encrypt',
    )
    assert.deepEqual(
      records.map((record) => [record.sourceIPAddress, 'tlsDetails' in record]),
      [
        ['203.0.113.7', false],
        ['203.0.113.7', false],
      ],
    )
  },
)

/** Every client calls until `work` is done. `more` waits until each of them has made ten more calls. */
async function underLoad(
  t: TestContext,
  clients: readonly KMSClient[],
  work: (more: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const isOver = (): boolean => over.signal.aborted || t.signal.aborted
  const callers = clients.map((client) => ({ client, calls: 0 }))
  const more = async (): Promise<void> => {
    const made = callers.map(({ calls }) => calls)
    const isDone = (): boolean =>
      callers.every(({ calls }, index) => calls >= (made[index] ?? 0) + 10)
    while (!isDone() && !isOver()) await sleep(5)
  }
  const load = callers.map(async (caller) => {
    while (!isOver()) {
      await caller.client.send(new ListKeysCommand({}))
      caller.calls += 1
    }
  })
  const all = [work(more), ...load].map((each) => each.finally(() => over.abort()))
  await Promise.all(all)
  assert.equal(t.signal.aborted, false)
}

/** The system gives each of several new connections to any of the workers. */
const everyWorker = Array.from({ length: 8 })

test('a reload under load fails no call, with one worker and with two', bounded, async (t) => {
  for (const workers of ['1', '2']) {
    const each = await served(t, { TRENT_WORKERS: workers })
    const clients = [1, 2, 3].map(() => each.client({ ca: [own.authority, other.authority] }))
    await underLoad(t, clients, async (more) => {
      await more()
      for (const files of [other, own, other]) {
        each.write(files)
        await each.server.server.reload()
        await more()
      }
    })
    for (const _ of everyWorker) {
      await each.client({ ca: other.authority }).send(new ListKeysCommand({}))
      const unknown = each.client().send(new ListKeysCommand({}))
      await assert.rejects(unknown, /signature|self-signed|verify/)
    }
  }
})

const shows = ({ cert, key }: Certified): AgentOptions => ({ cert, key })
/** An alert that asks for a certificate, or the end of the connection: no answer of the server. */
const withoutAnswer = /alert|ECONNRESET|EPIPE|socket hang up|socket disconnected/

/** No call of theirs may have an effect either. */
async function requireRefused(each: Served, strangers: readonly AgentOptions[]): Promise<void> {
  for (const tls of strangers) {
    for (const _ of everyWorker) {
      await assert.rejects(each.client(tls).send(new CreateKeyCommand({})), withoutAnswer)
    }
  }
}

async function requireServed(each: Served, tls: AgentOptions): Promise<void> {
  for (const _ of everyWorker) {
    assert.deepEqual((await each.client(tls).send(new ListKeysCommand({}))).Keys, [])
  }
}

test(
  'TRENT_TLS_CLIENT_CA lets in clients of its authorities alone, and a reload changes them',
  bounded,
  async (t) => {
    const [former, later, both] = await Promise.all([
      certified('client'),
      certified('client'),
      certified('client'),
    ])
    const path = join(temporaryFolder(t), 'clients.pem')
    const trust = (...clients: readonly Certified[]): void =>
      writeFileSync(path, clients.map(({ authority }) => authority).join('\n'))
    for (const workers of ['1', '2']) {
      trust(former, both)
      const each = await served(t, { TRENT_TLS_CLIENT_CA: path, TRENT_WORKERS: workers })
      const reload = (): Promise<void> => each.server.server.reload()
      const none = [{}, { maxVersion: 'TLSv1.2' }] as const
      await requireServed(each, shows(former))
      await requireServed(each, { ...shows(former), maxVersion: 'TLSv1.2' })
      await requireRefused(each, [...none, shows(later), shows(own)])
      await assert.rejects(got(each, '/readyz'), withoutAnswer)

      const returning = each.client({ ...shows(former), keepAlive: false })
      await returning.send(new ListKeysCommand({}))
      // One keeps its connection, and could not open another one after the reload. The other one opens a
      // connection for each call.
      const open = each.client({ ...shows(former), maxSockets: 1 })
      const opening = each.client({ ...shows(both), keepAlive: false })
      await underLoad(t, [open, opening], async (more) => {
        await more()
        trust(later, both)
        await reload()
        await more()
        await assert.rejects(returning.send(new ListKeysCommand({})), withoutAnswer)
        await requireRefused(each, [...none, shows(former)])
        await requireServed(each, shows(later))
      })
      writeFileSync(path, 'no certificate')
      await reload()
      assert.match(each.server.logged.join('\n'), /clients\.pem holds no certificate in PEM/)
      await requireServed(each, shows(later))
      await requireRefused(each, none)
    }
  },
)

test(
  'metrics show when the certificate expires, and that new files are refused',
  bounded,
  async (t) => {
    const each = await served(t)
    const gauge = (text: string, name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    const first = await got(each, '/metrics')
    const days = gauge(first, 'trent_tls_certificate_expiry_seconds') / 86_400
    assert.ok(days > 364 && days < 367, String(days))
    assert.equal(gauge(first, 'trent_tls_files_refused'), 0)
    each.write({ cert: other.cert, key: own.key })
    await each.server.server.reload()
    assert.equal(gauge(await got(each, '/metrics'), 'trent_tls_files_refused'), 1)
    assert.match(each.server.logged.join('\n'), /new TLS files are refused/)
    await each.client().send(new ListKeysCommand({}))
    each.write(own)
    await each.server.server.reload()
    assert.equal(gauge(await got(each, '/metrics'), 'trent_tls_files_refused'), 0)
    assert.match(await got(each, '/readyz'), /"ready"/)
  },
)
