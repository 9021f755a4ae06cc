/** The worked example of docs/services.md, run as it stands there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { region } from '../harness.ts'
import { freeLoopbackPort } from '../free-port.ts'
import { recordsOf } from './records.ts'
import { openServices } from './services.ts'

test('the store of the guide keeps objects for users of the SDK for S3, and opens none without them', async (t) => {
  const services = await openServices(t)
  const page = readFileSync(new URL('../../docs/services.md', import.meta.url), 'utf8')
  const [, program = ''] = /```js\n(.*?)```/s.exec(page) ?? []
  const port = await freeLoopbackPort()
  const store = await services.register('s3.amazonaws.com', `127.0.0.1:${port}`)
  // Beside the tests, so that it finds the packages.
  const file = join(import.meta.dirname, `.example-${process.pid}.mjs`)
  await writeFile(file, program)
  t.after(() => rm(file))
  const child = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      TRENT_URL: services.server.url,
      STORE_PORT: String(port),
      STORE_ACCESS_KEY_ID: store.accessKeyId,
      STORE_SECRET_ACCESS_KEY: store.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill()
    if (child.exitCode === null) await once(child, 'exit')
  })
  await once(child.stdout, 'data')
  const alice = await services.newUser('alice', { Action: 'kms:*' })
  const s3Of = ({ credentials }: Pick<typeof alice, 'credentials'>): S3Client => {
    const s3 = new S3Client({
      region,
      credentials,
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    t.after(() => s3.destroy())
    return s3
  }
  const s3 = s3Of(alice)
  const named = { Bucket: 'photos', Key: 'a cat (1).jpg' }
  await s3.send(new PutObjectCommand({ ...named, Body: 'meow' }))
  const { Body } = await s3.send(new GetObjectCommand(named))
  assert.equal(await Body?.transformToString(), 'meow')
  // The key's policy gives it to whoever calls through S3 in this account; a thief has no user's signature.
  const thief = { accessKeyId: alice.credentials.accessKeyId, secretAccessKey: 'guessed' }
  await assert.rejects(s3Of({ credentials: thief }).send(new GetObjectCommand(named)))
  const used = (await recordsOf(services.server.directory)).filter(({ eventName }) =>
    ['GenerateDataKey', 'Decrypt'].includes(eventName),
  )
  assert.deepEqual(
    used.map(({ eventName, userIdentity: { arn, invokedBy } }) => [eventName, arn, invokedBy]),
    ['GenerateDataKey', 'Decrypt'].map((name) => [name, alice.arn, 's3.amazonaws.com']),
  )
})
