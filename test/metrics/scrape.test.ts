import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { scrape } from './scraped.ts'

const token = 'a-token-of-more-than-16'

async function open(t: TestContext, settings = {}): Promise<TestServer> {
  const server = await startTestServer(settings)
  t.after(() => server.stop())
  return server
}

function statusOf({ port }: TestServer, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path: '/metrics', headers }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test('calls change the metrics, and no metric names a key or an account', async (t) => {
  const server = await open(t)
  const kms = server.client()
  const counted = (operation: string, outcome: string): string =>
    `trent_requests_total{service="kms",operation="${operation}",outcome="${outcome}"}`
  assert.equal((await scrape(server)).get(counted('CreateKey', 'success')), undefined)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
  await assert.rejects(kms.send(new DecryptCommand({ KeyId, CiphertextBlob: Buffer.alloc(64) })), {
    name: 'InvalidCiphertextException',
  })
  const figures = await scrape(server)
  assert.equal(figures.get(counted('CreateKey', 'success')), 1)
  assert.equal(figures.get(counted('Encrypt', 'success')), 1)
  assert.equal(figures.get(counted('Decrypt', 'InvalidCiphertextException')), 1)
  assert.equal(figures.get('trent_request_seconds_count{service="kms",operation="Encrypt"}'), 1)
  for (const name of ['authorization', 'crypto', 'journal_append', 'journal_fsync']) {
    assert.ok((figures.get(`trent_${name}_seconds_count`) ?? 0) > 0, name)
  }
  assert.equal(figures.get('trent_sealed'), 0)
  assert.equal(figures.get('trent_journal_healthy'), 1)
  const text = await (await fetch(`${server.url}/metrics`)).text()
  for (const odd of [String(KeyId), accountId, 'arn:']) assert.ok(!text.includes(odd), odd)
})

test('a foreign Host header is refused on loopback', async (t) => {
  const server = await open(t)
  assert.equal(await statusOf(server, { Host: 'evil.example' }), 403)
  assert.equal(await statusOf(server, { Host: 'localhost' }), 200)
})

test('if a token is set, it is required', async (t) => {
  const server = await open(t, { TRENT_METRICS_TOKEN: token })
  assert.equal(await statusOf(server, {}), 401)
  assert.equal(await statusOf(server, { Authorization: `Bearer ${token}x` }), 401)
  assert.equal(await statusOf(server, { Authorization: `Bearer ${token}` }), 200)
  assert.ok(!server.logged.join('\n').includes(token))
})

test('on other addresses the metrics require a token', async (t) => {
  const beyond = { TRENT_LISTEN: '0.0.0.0:0', TRENT_ALLOW_PLAINTEXT_HTTP: 'true' }
  assert.equal(await statusOf(await open(t, beyond), { Host: 'localhost' }), 401)
  const server = await open(t, { ...beyond, TRENT_METRICS_TOKEN: token })
  assert.equal(await statusOf(server, { Authorization: `Bearer ${token}` }), 200)
})
