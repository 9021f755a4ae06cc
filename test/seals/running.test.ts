/**
 * Each seal under a running server: its device goes away and comes back, the root key is rotated, and the former
 * one is retired.
 * @module
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { sealKinds } from '../../src/seals/seal.ts'
import { advance } from '../compat/test-clock.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { scrape } from '../metrics/scraped.ts'
import { assertOpens, encrypted, fill } from '../server/filled.ts'
import { enough, noSealOf, testedSeal, type TestedSeal } from './every-seal.ts'

interface Answer {
  readonly stage?: string
  readonly shares?: readonly string[]
}

interface Status {
  readonly sealed: boolean
  readonly seal: SealStatus
  readonly deletedMaterials: { readonly gone: number; readonly shredded: number }
}

interface Asked {
  readonly server: TestServer
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  readonly give: (operation: string, secrets: readonly string[]) => Promise<Answer>
  readonly status: () => Promise<Status>
}

async function start(
  t: TestContext,
  { setting, settings }: TestedSeal,
  directory?: string,
): Promise<Asked> {
  const server = await startTestServer(
    { ...settings, TRENT_SEAL: setting, TRENT_TEST_API: 'on' },
    directory === undefined ? {} : { directory },
  )
  t.after(() => server.stop())
  const ask = async (operation: string, input?: object): Promise<Answer> =>
    (await callOperator(server.directory, operation, input)) as Answer
  return {
    server,
    ask,
    async give(operation, secrets) {
      let last: Answer = {}
      for (const secret of secrets) last = await ask(operation, { secret })
      return last
    },
    status: async () => (await ask('GetStatus')) as unknown as Status,
  }
}

async function initialized(
  t: TestContext,
  seal: TestedSeal,
): Promise<Asked & { readonly secrets: readonly string[] }> {
  const first = await start(t, seal)
  if (seal.kind === 'file') return { ...first, secrets: [] }
  const { wanted, secretsOf } = seal.plan()
  const secrets = secretsOf(await first.ask('Initialize', wanted))
  await first.give('Unseal', secrets)
  await first.server.server.ready
  return { ...first, secrets }
}

async function rewrapped(status: Asked['status']): Promise<void> {
  while ((await status()).seal.former?.state !== 'rewrapped') await delay(20)
}

for (const kind of sealKinds) {
  const skip = noSealOf(kind) ?? false

  test(
    `${kind}: the root key rotates under a running server, and what was deleted is shredded`,
    { skip, timeout: 120_000 },
    async (t) => {
      const seal = await testedSeal(t, kind)
      const { server, secrets, ask, give, status } = await initialized(t, seal)
      const made = await fill(server)
      const next = seal.plan()
      const begun = await ask('BeginRekey', { rotate: true, ...next.wanted })
      const asked = await give('ContinueRekey', enough(secrets))
      const proofs = next.secretsOf({ ...begun, ...asked })
      const done = await give('ContinueRekey', proofs)
      assert.partialDeepStrictEqual({ ...begun, ...asked, ...done }, { stage: 'done', seal: kind })
      await rewrapped(status)
      assert.partialDeepStrictEqual((await status()).deletedMaterials, { gone: 1, shredded: 0 })
      const retired = await ask('RetireRootKeys', { endSessions: true })
      assert.deepEqual(retired, { generation: 2, retired: 1 })
      assert.partialDeepStrictEqual((await status()).deletedMaterials, { gone: 1, shredded: 1 })
      await assertOpens(server, made)
      await server.stop('keep')

      const again = await start(t, seal, server.directory)
      for (const secret of secrets.slice(0, 1)) {
        await assert.rejects(again.ask('Unseal', { secret }), /is of another seal|is wrong/)
      }
      await again.give('Unseal', enough(proofs))
      await again.server.server.ready
      await assertOpens(again.server, made)
      const { generation, former } = (await again.status()).seal
      assert.deepEqual([generation, former], [2, undefined])
    },
  )

  test(
    `${kind}: a server goes on while the device is away, and rotates when it is back`,
    {
      skip: kind === 'passphrase' || kind === 'shamir' ? 'people open it' : skip,
      timeout: 120_000,
    },
    async (t) => {
      const seal = await testedSeal(t, kind)
      const { server, ask, give, status } = await initialized(t, seal)
      const { takeAway, awayWords } = seal.device ?? assert.fail()
      const made = await fill(server)
      const opens = async (): Promise<unknown> => (await scrape(server)).get('trent_seal_opens')
      assert.deepEqual([await opens(), (await status()).seal.doesNotOpen], [1, undefined])
      const bringBack = await takeAway()
      await advance(server.url, '5m')
      const { reason = '', since = '' } = (await status()).seal.doesNotOpen ?? {}
      assert.match(reason, awayWords)
      assert.ok(Date.parse(since) > Date.now() && (await opens()) === 0)
      await assertOpens(server, made)
      const { KeyMetadata } = await server.client().send(new CreateKeyCommand({}))
      const ciphertexts = [...made.ciphertexts, await encrypted(server, KeyMetadata?.KeyId)]
      const all = { ...made, ciphertexts }
      const shares = { shares: 2, threshold: 2 }
      for (const plan of [{ rotate: true }, { recovery: true, ...shares }, { seal: 'shamir' }]) {
        await assert.rejects(ask('BeginRekey', plan), awayWords)
      }
      const { sealed, seal: told } = await status()
      assert.deepEqual(
        [sealed, told.kind, told.generation, told.rekey],
        [false, kind, 1, undefined],
      )
      await bringBack()
      await advance(server.url, '1m')
      assert.deepEqual([await opens(), (await status()).seal.doesNotOpen], [1, undefined])

      // A key file that is gone is made anew.
      if (kind === 'file') return
      // With a recovery seal, people can open the root key instead. What comes next still needs the device.
      const recovery = await ask('BeginRekey', { recovery: true, ...shares })
      await give('ContinueRekey', recovery.shares ?? [])
      const bringBackAgain = await takeAway()
      assert.equal((await ask('BeginRekey', { rotate: true })).stage, 'open')
      await assert.rejects(give('ContinueRekey', recovery.shares ?? []), awayWords)
      assert.equal((await status()).seal.generation, 1)
      await assertOpens(server, all)
      await bringBackAgain()
      assert.equal((await give('ContinueRekey', recovery.shares ?? [])).stage, 'done')
      await rewrapped(status)
      await assertOpens(server, all)
      await server.stop('keep')
      const again = await start(t, seal, server.directory)
      await again.server.server.ready
      await assertOpens(again.server, all)
      assert.equal((await again.status()).seal.generation, 2)
    },
  )
}
