/** The port for unsealing: shares from several machines, who gave them, and what it does not do. @module */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { callOperator, callUnsealPort } from '../../src/operator/client.ts'
import { shownAs } from '../compat/own-operator.ts'
import { recordsOf } from '../compat/records.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { certified } from '../wire/certificate.ts'
import { alice, exchange, initialized, main, openPort } from './unseal-port.ts'

const strangers = await certified('mallory', {}, undefined, 'CN=mallory')
const bounded = { timeout: 120_000 }

test(
  'two people give their shares at once from other terminals, and a third by the socket',
  bounded,
  async (t) => {
    const { server, unseal, ask } = await openPort(t)
    const [first, second, third] = await initialized(server)
    const forged = first.replace(/:[0-9a-f]{4}/, ':0000')
    const [one, two, wrong] = await Promise.allSettled([
      unseal(first),
      unseal(second),
      unseal(forged),
    ])
    assert.ok(one.status === 'fulfilled' && two.status === 'fulfilled')
    assert.match(String(wrong.status === 'rejected' && wrong.reason), /mistyped/)
    assert.match(two.value + one.value, /2 of 3 shares of set [0-9a-f]{8} are given: 1; 2/)
    assert.partialDeepStrictEqual(await ask('GetStatus'), {
      ready: false,
      sealed: true,
      seal: { kind: 'shamir', given: [1, 2], needed: 3 },
    })
    await callOperator(server.directory, 'Unseal', { secret: third })
    await server.server.ready
    assert.deepEqual(await ask('GetStatus'), { ready: true, sealed: false })
    await assert.rejects(ask('Unseal', { secret: first }), /the server is not sealed/)
    assert.match(await unseal(first), /the root key is open/)
    const records = (await recordsOf(server.directory)) as unknown as readonly {
      readonly eventName: string
      readonly serviceEventDetails?: {
        readonly givers: readonly string[]
        readonly refused: number
      }
    }[]
    const opened = records.find(({ eventName }) => eventName === 'UnsealRootKey')
    const { givers = [], refused } = opened?.serviceEventDetails ?? {}
    const network = 'unknown (from 127.0.0.1)'
    assert.deepEqual([givers.slice(0, 2), refused], [[network, network], 1])
    assert.equal(givers[2], shownAs())
    for (const share of [first, second, third]) {
      assert.ok(!server.logged.some((line) => line.includes(share.split(':')[5] ?? share)))
    }
  },
)

test(
  'with an authority, only its certificates may give, and each giver is named',
  bounded,
  async (t) => {
    const { server, unseal, ask, folder } = await openPort(t, {
      TRENT_UNSEAL_TLS_CLIENT_CA: 'FOLDER/clients.pem',
    })
    const [first] = await initialized(server)
    await assert.rejects(ask('GetStatus'), /no server answers/)
    await assert.rejects(ask('GetStatus', {}, strangers), /no server answers/)
    const files = ['--cert', join(folder, 'alice.pem'), '--key', join(folder, 'alice.key')]
    assert.match(await unseal(first, ...files), /1 of 3/)
    const { seal } = (await callOperator(server.directory, 'GetStatus')) as {
      readonly seal: { readonly givers: readonly string[] }
    }
    assert.match(
      seal.givers.join(),
      /^CN=alice, O=example \(certificate [0-9a-f]{16}, from 127\.0\.0\.1\)$/,
    )
    // The port itself does not say who gave what.
    assert.ok(!JSON.stringify(await ask('GetStatus', {}, alice)).includes('alice'))
  },
)

test('it serves status and unsealing, and nothing else, sealed or not', bounded, async (t) => {
  const { server, ask, port } = await openPort(t)
  const refused = async (): Promise<void> => {
    for (const operation of [
      'Initialize',
      'ListAccounts',
      'CreateAccount',
      'SealServer',
      'BeginRekey',
      'UnlockKey',
      'constructor',
    ]) {
      await assert.rejects(ask(operation), /UnknownOperationException/)
    }
    for (const path of ['/healthz', '/metrics', '/', '/_trent/fas']) {
      const text = await exchange(
        port,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      )
      assert.match(text, /^HTTP\/1\.1 400 .*UnknownOperationException/s)
    }
  }
  await refused()
  for (const secret of await initialized(server)) await ask('Unseal', { secret })
  await server.server.ready
  await sleep(1100) // the rate of the calls before
  await assert.rejects(ask('ListAccounts'), /UnknownOperationException/)
})

test('its certificate changes without a restart', bounded, async (t) => {
  const { server, folder, ask, port } = await openPort(t)
  await ask('GetStatus')
  const next = await certified('localhost')
  writeFileSync(join(folder, 'own.pem'), next.cert)
  writeFileSync(join(folder, 'own.key'), next.key)
  await server.server.reload()
  await assert.rejects(ask('GetStatus'), /no server answers/)
  const url = new URL(`https://localhost:${port}`)
  await callUnsealPort({ url, ca: next.authority }, 'GetStatus')
})

test('the command refuses what it cannot use, before it asks for a share', bounded, async (t) => {
  const { folder, port } = await openPort(t)
  const url = `https://localhost:${port}`
  const unseal = (...options: readonly string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [main, 'unseal', ...options], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder },
    })
  await assert.rejects(
    unseal('--url', `http://localhost:${port}`),
    /--url is the address of the port/,
  )
  await assert.rejects(unseal('--url', `${url}/path`), /--url is the address of the port/)
  await assert.rejects(unseal('--cacert', 'ca.pem'), /--cacert needs --url/)
  await assert.rejects(unseal('--url', url, '--cert', 'alice.pem'), /--cert and --key need each/)
  await assert.rejects(unseal('--url', url, '--cacert', 'absent.pem'), /absent.pem cannot be read/)
  writeFileSync(join(folder, 'empty.pem'), 'nothing')
  await assert.rejects(unseal('--url', url, '--cacert', 'empty.pem'), /empty.pem holds no PEM/)
})

test('settings that would leave it open are refused', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trent-unseal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const start = (settings: Readonly<Record<string, string>>): Promise<TestServer> =>
    startTestServer({ TRENT_SEAL: 'shamir', ...settings })
  const listen = { TRENT_UNSEAL_LISTEN: '127.0.0.1:0' }
  const files = {
    TRENT_UNSEAL_TLS_CERT: join(folder, 'absent.pem'),
    TRENT_UNSEAL_TLS_KEY: join(folder, 'absent.key'),
  }
  await assert.rejects(start(listen), /TRENT_UNSEAL_LISTEN needs TLS/)
  await assert.rejects(start(files), /need TRENT_UNSEAL_LISTEN/)
  await assert.rejects(
    start({ ...listen, ...files, TRENT_SEAL: 'passphrase' }),
    /could guess the passphrase/,
  )
  await assert.rejects(
    start({ ...listen, ...files }),
    /TRENT_UNSEAL_TLS_CERT: .*absent\.pem is missing/,
  )
  await assert.rejects(start({ ...files, TRENT_UNSEAL_LISTEN: 'x' }), /TRENT_UNSEAL_LISTEN must be/)
  const { TRENT_UNSEAL_TLS_CERT: alone } = files
  await assert.rejects(start({ ...listen, TRENT_UNSEAL_TLS_CERT: alone }), /need each other/)
})
