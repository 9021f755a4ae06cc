/** The console on a real server: on by default, off by a setting, and no file ever is a call. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListKeysCommand } from '@aws-sdk/client-kms'
import { startTestServer } from '../harness.ts'

test('the console answers on the port of the API, which stays as it is', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  const page = await fetch(`${server.url}/console/`)
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'/)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  const settings = (await (await fetch(`${server.url}/console/settings.json`)).json()) as object
  assert.deepEqual(Object.keys(settings), ['region', 'regions', 'version', 'signIn'])
  const head = await fetch(`${server.url}/console/settings.json`, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  // A signed call to a path of the console is no call.
  const kms = server.client({ endpoint: `${server.url}/console/` })
  await assert.rejects(kms.send(new ListKeysCommand()))
  assert.equal((await fetch(`${server.url}/`)).status, 405)
  assert.deepEqual((await server.client().send(new ListKeysCommand())).Keys, [])
})

test('TRENT_CONSOLE=off serves none of it', async (t) => {
  const server = await startTestServer({ TRENT_CONSOLE: 'off' })
  t.after(() => server.stop())
  for (const path of ['/console', '/console/', '/console/settings.json']) {
    assert.equal((await fetch(server.url + path, { redirect: 'manual' })).status, 404, path)
  }
})

test('with several workers, each of them serves the console', async (t) => {
  const server = await startTestServer({ TRENT_WORKERS: '2' })
  t.after(() => server.stop())
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      fetch(`${server.url}/console/settings.json`, { headers: { connection: 'close' } }),
    ),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
})
