/**
 * A server that is killed at each step of making, moving and rotating a root key that people open: what was in
 * force before a step, or what the step puts in force, opens every ciphertext afterwards, and nothing else does.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { enough, testedSeal } from '../seals/every-seal.ts'
import { assertOpens, encrypted, killed } from './killed-server.ts'

const notThisSeal = /is of another seal|passphrase is wrong/

for (const kind of ['passphrase', 'shamir'] as const) {
  test(`${kind}: killed at each step of an initialisation, it opens or is made anew`, async (t) => {
    const { plan } = await testedSeal(t, kind)
    const server = killed(t)
    for (const moment of ['within 1', 'after 1'] as const) {
      await server.begin(kind)
      await server.dieDuring(moment, () => server.ask('Initialize', plan().wanted))
    }
    await server.begin(kind)
    const initialized = async (): Promise<readonly string[]> => {
      const { wanted, secretsOf } = plan()
      return secretsOf(await server.ask('Initialize', wanted))
    }
    const lost = await initialized()
    await server.kill()
    await server.begin(kind)
    // Secrets that a kill left unseen are nobody's; those that were seen still count.
    await server.give('Unseal', lost.slice(0, -1))
    await server.kill()
    await server.begin(kind)
    const secrets = await initialized()
    await server.kill()
    await server.begin(kind)
    await server.give('Unseal', secrets.slice(0, -1))
    await server.kill()
    let running = await server.begin(kind)
    await assert.rejects(server.give('Unseal', lost.slice(-1)), notThisSeal)
    await server.give('Unseal', secrets)
    const blob = await encrypted(running)
    await server.kill()
    running = await server.begin(kind)
    await server.give('Unseal', enough(secrets))
    await assertOpens(running, blob)
  })

  for (const [name, request, generation] of [
    ['rekey', { seal: kind }, 1],
    ['rotation', { rotate: true }, 2],
  ] as const) {
    test(`${kind}: killed at each step of a ${name}, what opened it does until the proof`, async (t) => {
      const { plan } = await testedSeal(t, kind)
      const server = killed(t)
      let running = await server.begin(kind)
      const first = plan()
      const old = first.secretsOf(await server.ask('Initialize', first.wanted))
      await server.give('Unseal', old)
      const blob = await encrypted(running)
      const restarted = async (opens: readonly string[], other: readonly string[] = []) => {
        await server.kill()
        running = await server.begin(kind)
        for (const secret of other.slice(0, 1)) {
          await assert.rejects(server.ask('Unseal', { secret }), notThisSeal)
        }
        await server.give('Unseal', enough(opens))
        await assertOpens(running, blob)
        return ((await server.ask('GetStatus'))['seal'] as SealStatus).generation
      }
      for (let given = 0; given < enough(old).length; given += 1) {
        await server.ask('BeginRekey', { ...request, ...plan().wanted })
        await server.give('ContinueRekey', old.slice(0, given))
        assert.equal(await restarted(old), 1)
      }
      const next = plan()
      await server.ask('BeginRekey', { ...request, ...next.wanted })
      const proofs = next.secretsOf(await server.give('ContinueRekey', enough(old)))
      assert.equal(await restarted(old, proofs), 1)
      if (proofs.length > 1) {
        await server.give('ContinueRekey', proofs.slice(0, -1))
        assert.equal(await restarted(old, proofs), 1)
      }
      // Everyone proves again: a proof that was cut short counts for nothing.
      for (const moment of ['within 1', 'after 1'] as const) {
        await server.give('ContinueRekey', proofs.slice(0, -1))
        await server.dieDuring(moment, () => server.give('ContinueRekey', proofs.slice(-1)))
        const isInForce = moment === 'after 1'
        const [opens, other] = isInForce ? [proofs, old] : [old, proofs]
        assert.equal(await restarted(opens, other), isInForce ? generation : 1, moment)
      }
    })
  }
}
