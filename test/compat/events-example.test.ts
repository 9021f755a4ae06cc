/** The receiver of docs/events.md, run as it stands there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DisableKeyCommand, EncryptCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms'
import { secretText } from '../events/receiver.ts'
import { startTestServer } from '../harness.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { makeKey } from './sdk.ts'
import { advance } from './test-clock.ts'

test('the receiver of the guide takes what is signed, once, and nothing else', async (t) => {
  const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const [, program = ''] = /```js\n(.*?)```/s.exec(page) ?? []
  const file = join(temporaryFolder(t), 'receiver.mjs')
  writeFileSync(file, program)
  const port = await freeLoopbackPort()
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, PORT: String(port), TRENT_EVENTS_WEBHOOK_SECRET: secretText },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await once(child.stdout, 'data')
  const url = `http://127.0.0.1:${port}/`
  const server = await startTestServer({
    TRENT_TEST_API: 'on',
    TRENT_EVENTS_WEBHOOK: url,
    TRENT_EVENTS_WEBHOOK_SECRET: secretText,
  })
  t.after(() => server.stop())
  const kms = server.client()
  const { keyId: KeyId, arn } = await makeKey(kms)
  await kms.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
  await advance(server.url, '7d')
  const lines = (): readonly string[] => printed.trimEnd().split('\n').slice(1)
  for (let tries = 0; tries < 2400 && lines().length < 2; tries += 1) await sleep(50)
  const [refused = '', deleted = '', ...more] = lines()
  assert.match(refused, /^\S+Z AWS API Call via CloudTrail \S+ is disabled\.$/)
  assert.ok(refused.includes(arn))
  assert.match(deleted, /^\S+Z KMS CMK Deletion \S+$/)
  assert.ok(deleted.includes(arn))
  assert.deepEqual(more, [])

  const body = JSON.stringify({ id: 'one', 'detail-type': 'made up', resources: [], detail: {} })
  const post = async (given: {
    readonly time?: number
    readonly secret?: string
    readonly body?: string
    readonly signature?: (own: string) => string
  }): Promise<number> => {
    const time = String(given.time ?? Math.floor(Date.now() / 1000))
    const mac = createHmac('sha256', given.secret ?? secretText).update(`id.${time}.${body}`)
    const own = `v1,${mac.digest('base64')}`
    const headers = {
      'webhook-id': 'id',
      'webhook-timestamp': time,
      'webhook-signature': given.signature?.(own) ?? own,
    }
    const answer = await fetch(url, { method: 'POST', headers, body: given.body ?? body })
    return answer.status
  }
  assert.equal(await post({ time: Math.floor(Date.now() / 1000) - 301 }), 401)
  assert.equal(await post({ secret: 'another' }), 401)
  assert.equal(await post({ body: `${body} ` }), 401)
  assert.equal(await post({ signature: () => '' }), 401)
  assert.equal(await post({ signature: (own) => `v0,${own.slice(3)}` }), 401)
  assert.equal(await post({ body: 'x'.repeat(600 * 1024) }), 413)
  assert.equal(lines().length, 2)
  assert.equal(await post({ signature: (own) => `v1,older ${own}` }), 204)
  assert.equal(await post({}), 204)
  for (let tries = 0; tries < 2400 && lines().length < 3; tries += 1) await sleep(50)
  assert.equal(lines().length, 3)
})
