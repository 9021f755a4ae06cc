/** A server with TLS of its own: what its callers, policies, records and metrics see. */
import assert from 'node:assert/strict'
import { Agent } from 'node:https'
import { before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EncryptCommand, ListKeysCommand, type KMSClient } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
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
  readonly client: (authorities?: string[], maxVersion?: 'TLSv1.2') => KMSClient
}

async function served(
  t: TestContext,
  settings: Parameters<typeof startTestServer>[0] = {},
): Promise<Served> {
  const written = writtenTls(t, own)
  const server = await startTestServer({ ...written.settings, ...settings })
  t.after(() => server.stop())
  const client: Served['client'] = (ca = [own.authority], maxVersion) =>
    server.client({
      endpoint: `https://localhost:${server.port}`,
      requestHandler: {
        httpsAgent: new Agent({ ca, keepAlive: true, ...(maxVersion && { maxVersion }) }),
      },
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
    await each.client([own.authority], 'TLSv1.2').send(new EncryptCommand({ KeyId, Plaintext }))
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

test('a reload under load fails no call, with one worker and with two', bounded, async (t) => {
  for (const workers of ['1', '2']) {
    const each = await served(t, { TRENT_WORKERS: workers })
    const clients = [1, 2, 3].map(() => each.client([own.authority, other.authority]))
    let calls = 0
    const atMost = AbortSignal.timeout(30_000)
    const stop = new AbortController()
    const load = clients.map(async (client) => {
      while (!stop.signal.aborted && !atMost.aborted) {
        await client.send(new ListKeysCommand({}))
        calls += 1
      }
    })
    const more = async (): Promise<void> => {
      const wanted = calls + 30
      const isOver = (): boolean => calls >= wanted || atMost.aborted
      while (!isOver()) await sleep(5)
    }
    const reloads = async (): Promise<void> => {
      await more()
      for (const files of [other, own, other]) {
        each.write(files)
        await each.server.server.reload()
        await more()
      }
      stop.abort()
    }
    await Promise.all([reloads(), ...load])
    assert.equal(atMost.aborted, false)
    // Every worker has it: the system gives connections to any of them.
    for (let count = 0; count < 8; count += 1) {
      await each.client([other.authority]).send(new ListKeysCommand({}))
      const unknown = each.client([own.authority]).send(new ListKeysCommand({}))
      await assert.rejects(unknown, /signature|self-signed|verify/)
    }
  }
})

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
