/** One signed request to a webhook, and what delivery tells it. @module */
import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { postWebhook } from '../../src/events/webhook.ts'
import { filesBelow, isLog, startDelivering, traffic } from '../audit/delivery/delivered.ts'
import { advance } from '../compat/test-clock.ts'

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function listening(t: TestContext, statuses: number[]) {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      heard.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
      response.writeHead(statuses.shift() ?? 200, { location: '/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { url: `http://127.0.0.1:${address.port}/hook`, heard }
}

const text = 'a-secret-of-the-webhook'
const secret = createSecretKey(Buffer.from(text))
const { signal } = new AbortController()

function assertSigned({ headers, body }: Heard): void {
  const stamp = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
  const mac = createHmac('sha256', text).update(stamp).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${mac}`)
}

test('a webhook gets the message with its id, its time and its signature', async (t) => {
  const { url, heard } = await listening(t, [204])
  await postWebhook({ url, secret }, { id: 'one', body: '{"a":1}' }, () => 5_999, signal)
  const [only] = heard
  assert.ok(only)
  assertSigned(only)
  assert.equal(only.headers['webhook-id'], 'one')
  assert.equal(only.headers['webhook-timestamp'], '5')
  assert.equal(only.body, '{"a":1}')
})

for (const status of [301, 400, 503]) {
  test(`an answer of ${status} is a failure, and no other place is asked`, async (t) => {
    const { url, heard } = await listening(t, [status])
    const posted = postWebhook({ url, secret }, { id: 'one', body: '{}' }, () => 0, signal)
    await assert.rejects(posted, (error: Error) => !error.message.includes(text))
    assert.equal(heard.length, 1)
  })
}

test('the webhook hears of each log file, again with the same id until it takes it', async (t) => {
  const { url, heard } = await listening(t, [500])
  const { server, archive } = await startDelivering(t, {
    TRENT_AUDIT_WEBHOOK: url,
    TRENT_AUDIT_WEBHOOK_SECRET: text,
  })
  await traffic(server, 2)
  await advance(server.url, '5m')
  for (let tries = 0; tries < 100 && heard.length < 2; tries += 1) await sleep(100)
  const [first, second] = heard
  assert.ok(first && second)
  for (const each of heard) assertSigned(each)
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id'])
  assert.equal(first.body, second.body)
  const [key] = (await filesBelow(archive)).filter(isLog)
  assert.deepEqual(JSON.parse(first.body), { s3Bucket: 'trent-audit', s3ObjectKey: [key] })
  for (const line of server.logged) assert.ok(!line.includes(text))
})
