/**
 * Somebody writes to what a stopped database stores of seals. Nothing opens that did not before, the next start says
 * why in one line, and what is put back opens everything.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { OperatorCallFailed } from '../../src/operator/client.ts'
import { SealRefused, type SealKind } from '../../src/seals/seal.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { flipped, realRandom } from '../crypto/fixed.ts'
import { sqliteOnly, type TestServer } from '../harness.ts'
import { enough, sealedAnew, testedSeal, testedSeals, type TestedSeal } from './every-seal.ts'
import { deployment, type Deployment, type Stored } from './stopped-deployment.ts'

const skip = sqliteOnly('writes to the file of SQLite')

const damaged = /^the record of the sealed root key is damaged or was changed: put the database/
/** AES-GCM cannot tell a wrong key from changed bytes. */
const doesNotOpen: Partial<Record<SealKind, RegExp>> = {
  file: /^key file \S+ does not open this deployment's root key$/,
  passphrase: /^the passphrase is wrong, or the record of the sealed root key was changed$/,
}
const domainKeyChanged = /a domain key of this deployment was changed: put the database back/
const three = { shares: 3, threshold: 2 }

/** A refused call or start says it in one line. */
const saying = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SealRefused || error instanceof OperatorCallFailed)
  assert.match(error.message, words)
  assert.ok(!error.message.includes('\n'))
  return true
}

async function refusesToStart({ server }: TestServer, words: RegExp): Promise<void> {
  await assert.rejects(
    server.ready,
    (error) => error instanceof SealRefused && saying(words)(error),
  )
}

/** Makes the recovery seal of a running server, and returns its shares. */
async function recoveryOf({ ask, give }: Deployment): Promise<readonly string[]> {
  const { shares = [] } = await ask('BeginRekey', { recovery: true, ...three })
  assert.equal((await give('ContinueRekey', shares)).stage, 'done')
  return shares
}

test(
  'a changed record of a seal opens nothing, and opens when it is put back',
  { skip },
  async (t) => {
    const seals = await testedSeals(t)
    const more = Object.assign(
      {},
      ...seals.map(({ settings }) => settings),
    ) as TestedSeal['settings']
    const home = deployment(t)
    let secrets: readonly string[] = []
    let former: Stored | undefined
    const [first = assert.fail(), last = assert.fail()] = [seals[0], seals.at(-1)]
    await home.start({ ...first, settings: more })
    await home.encrypt()
    const recovery = enough(await recoveryOf(home))

    for (const seal of seals) {
      const { kind, setting } = seal
      const start = (): Promise<TestServer> => home.start({ ...seal, settings: more })
      const words = doesNotOpen[kind] ?? damaged
      await t.test(`${kind}: a changed byte`, async () => {
        if (former !== undefined)
          secrets = await sealedAnew(home.ask, { seal: setting }, seal, secrets)
        await home.stop()
        const stored = home.read()
        assert.equal(stored.kind, kind)
        if (former !== undefined) {
          home.write(former)
          const elsewhere = new RegExp(
            `^the root key is sealed by ${former.kind}, and TRENT_SEAL is`,
          )
          await refusesToStart(await start(), elsewhere)
          await home.stop()
        }
        const change = (index: number): void =>
          home.write({ kind, sealed: flipped(stored.sealed, index) })
        change(0)
        const server = await start()
        if (seal.device === undefined) await refusesToStart(server, damaged)
        else {
          assert.match((await home.hasNotOpened()).reason ?? '', words)
          await assert.rejects(
            server.client().send(new CreateKeyCommand({})),
            /root key is not open/,
          )
        }
        await home.stop()

        change(stored.sealed.length - 1)
        await start()
        if (seal.device === undefined) {
          await assert.rejects(home.give('Unseal', enough(secrets)), saying(words))
          assert.equal((await home.ask('GetStatus')).seal?.opensWith, 'current')
        } else {
          const { opensWith, reason = '' } = await home.hasNotOpened()
          assert.equal(opensWith, 'recovery')
          assert.match(reason, words)
          await home.give('Unseal', recovery)
          await home.decrypts()
        }
        await home.stop()

        home.write(stored)
        await start()
        await home.give('Unseal', enough(secrets))
        await home.decrypts()
        former = stored
      })
    }

    await t.test(
      'the former record opens what it opened, until the root key is a new one',
      async () => {
        const start = (): Promise<TestServer> => home.start({ ...last, settings: more })
        assert.equal(last.kind, 'shamir')
        const old = former ?? assert.fail()
        const next = await sealedAnew(home.ask, { seal: 'shamir' }, last, secrets)
        await home.stop()
        const current = home.read()
        home.write(old)
        await start()
        await assert.rejects(home.give('Unseal', next), saying(/is of another seal/))
        await home.give('Unseal', enough(secrets))
        await home.decrypts()
        await home.stop()
        home.write(current)
        await start()
        await assert.rejects(home.give('Unseal', secrets), saying(/is of another seal/))
        await home.give('Unseal', enough(next))
        await home.decrypts()

        const newest = await sealedAnew(home.ask, { rotate: true }, last, next)
        await home.stop()
        const rotated = home.read()
        home.write(current)
        await start()
        await assert.rejects(home.give('Unseal', newest), saying(/is of another seal/))
        await assert.rejects(home.give('Unseal', enough(next)), saying(domainKeyChanged))
        await home.stop()
        home.write(rotated)
        await start()
        await home.give('Unseal', enough(newest))
        await home.decrypts()
      },
    )
  },
)

test('a recovery seal that somebody else wrote opens nothing', { skip }, async (t) => {
  const kms = await testedSeal(t, 'kms')
  const { takeAway } = kms.device ?? assert.fail()
  const home = deployment(t)
  await home.start(kms)
  await home.ask('Initialize')
  await home.encrypt()
  const shares = await recoveryOf(home)
  await home.stop()
  const genuine = home.readRecovery()
  const bringBack = await takeAway()
  for (const [of, words] of [
    [home.id(), domainKeyChanged],
    [realRandom.uuid(), damaged],
  ] as const) {
    // Whoever wrote it has its shares, and not the root key.
    const foreign = await shamirSeal(realRandom).seal(randomBytes(32), of, three)
    home.writeRecovery(foreign.record)
    await home.start(kms)
    assert.equal((await home.hasNotOpened()).opensWith, 'recovery')
    await assert.rejects(home.give('Unseal', shares), saying(/is of another seal/))
    await assert.rejects(home.give('Unseal', enough(foreign.shares ?? [])), saying(words))
    assert.partialDeepStrictEqual(await home.ask('GetStatus'), { sealed: true })
    await home.stop()
  }

  // The server waits for the KMS, although the record cannot be read.
  home.writeRecovery(flipped(genuine, 0))
  const server = await home.start(kms)
  assert.equal((await home.hasNotOpened()).opensWith, 'current')
  await assert.rejects(home.give('Unseal', shares), saying(/has no recovery seal/))
  assert.ok(server.logged.some((line) => line.includes('the recovery seal cannot be used')))
  await bringBack()
  await home.decrypts()
  await home.stop()

  await takeAway()
  home.writeRecovery(genuine)
  await home.start(kms)
  await home.hasNotOpened()
  await home.give('Unseal', enough(shares))
  await home.decrypts()
})
