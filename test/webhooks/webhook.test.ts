/** One signed request to a webhook, and the notifications of delivery. @module */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { postWebhook } from '../../src/webhooks/webhook.ts'
import { filesBelow, isLog, startDelivering, traffic } from '../audit/delivery/delivered.ts'
import { advance } from '../compat/test-clock.ts'
import { assertSigned, secretText, startReceiver } from '../events/receiver.ts'

const secret = createSecretKey(Buffer.from(secretText))
const { signal } = new AbortController()

test('a webhook gets the message with its id, its time and its signature', async (t) => {
  const { url, heard } = await startReceiver(t)
  await postWebhook({ url, secret }, { id: 'one', body: '{"a":1}' }, () => 5_999, signal)
  const [only] = heard
  assert.ok(only)
  assertSigned(only)
  assert.equal(only.headers['webhook-id'], 'one')
  assert.equal(only.headers['webhook-timestamp'], '5')
  assert.equal(only.body, '{"a":1}')
})

for (const status of [301, 400, 503]) {
  test(`an answer of ${status} is a failure, and redirects are not followed`, async (t) => {
    const { url, heard, answer } = await startReceiver(t)
    answer(status)
    const posted = postWebhook({ url, secret }, { id: 'one', body: '{}' }, () => 0, signal)
    await assert.rejects(posted, (error: Error) => !error.message.includes(secretText))
    assert.equal(heard.length, 1)
  })
}

test('an answer without end is cut off, and its status counts', { timeout: 120_000 }, async (t) => {
  const { url, answer } = await startReceiver(t)
  let sent = 0
  answer((response) => {
    response.writeHead(200)
    const piece = Buffer.alloc(64 * 1024, 'x')
    const more = (): void => {
      while (!response.destroyed && response.write(piece)) sent += piece.length
    }
    response.on('drain', more)
    more()
  })
  await postWebhook({ url, secret }, { id: 'one', body: '{}' }, () => 0, signal)
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes`)
})

test('a webhook that does not answer is given ten seconds', { timeout: 120_000 }, async (t) => {
  const { url, answer } = await startReceiver(t)
  answer(() => undefined)
  const from = performance.now()
  const posted = postWebhook({ url, secret }, { id: 'one', body: '{}' }, () => 0, signal)
  await assert.rejects(posted, { name: 'TimeoutError' })
  const took = performance.now() - from
  assert.ok(took > 9900 && took < 60_000, `${took} ms`)
})

test('the webhook is notified of each log file, with the same id until it accepts it', async (t) => {
  const { url, heard, answer, hears } = await startReceiver(t)
  answer((response) => {
    answer(204)
    response.writeHead(500).end()
  })
  const { server, archive } = await startDelivering(t, {
    TRENT_AUDIT_WEBHOOK: url,
    TRENT_AUDIT_WEBHOOK_SECRET: secretText,
  })
  await traffic(server, 2)
  await advance(server.url, '5m')
  await hears(2)
  const [first, second] = heard
  assert.ok(first && second)
  for (const each of heard) assertSigned(each)
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id'])
  assert.equal(first.body, second.body)
  const [key] = (await filesBelow(archive)).filter(isLog)
  assert.deepEqual(JSON.parse(first.body), { s3Bucket: 'trent-audit', s3ObjectKey: [key] })
  for (const line of server.logged) assert.ok(!line.includes(secretText))
})
