/**
 * A server that is killed at any moment of making, moving and rotating a root key that it opens by itself: what
 * was in force before a step, or what the step puts in force, opens every ciphertext afterwards.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { noSealOf, testedSeal } from '../seals/every-seal.ts'
import {
  end,
  freePort,
  ready,
  temporaryFolder,
  trent,
  type Running,
} from '../start/serve-process.ts'
import type { SealMoment } from './deadly-database.ts'
import { settings } from './fixed-account.ts'
import { assertOpens, encrypted, killed } from './killed-server.ts'

test('killed at any moment of its first start, a server with a key file starts anyway', async (t) => {
  const seen: string[] = []
  for (const awaited of [/./, /^seal\.key$/, /^trent\.db$/, /^trent\.db-wal$/, /^journal$/]) {
    const folder = temporaryFolder(t)
    const data = join(folder, 'data')
    const begin = () => trent(t, ['serve'], { ...freePort(folder), ...settings }, folder)
    const first = begin()
    const names = (): readonly string[] => (existsSync(data) ? readdirSync(data) : [])
    const isThere = (): boolean => names().some((name) => awaited.test(name))
    while (first.child.exitCode === null && !isThere()) await delay(1)
    await end(first, 'SIGKILL')
    seen.push(names().join(' '))
    const second = begin()
    const blob = await encrypted(second)
    await end(second, 'SIGKILL')
    await assertOpens(begin(), blob)
  }
  t.diagnostic(`at the kills: ${seen.join(' | ')}`)
})

/**
 * The first transaction of a move stores the new seal, the second one puts it in force: the new seal is stored;
 * what puts it in force waits for its commit; it is in force.
 */
const moments = ['after 1', 'within 2', 'after 2'] as const

async function isOpen(running: Running): Promise<boolean> {
  const outcome = await Promise.race([ready(running), running.ended]).catch(() => undefined)
  return outcome !== undefined && 'url' in outcome
}

/** What was answered is in force, and at each chosen moment it is certain what is. */
function assertOutcome(when: SealMoment | number, isAnswered: boolean, isInForce: boolean): void {
  if (isAnswered) assert.ok(isInForce)
  if (typeof when === 'string') assert.equal(isInForce, when === 'after 2', when)
}

test('killed at any moment of a move between key files, exactly one of them opens it', async (t) => {
  const server = killed(t)
  const path = (number: number): string => join(server.folder, `${number}.key`)
  let current = 0
  let running = await server.begin(`file:${path(0)}`)
  const blob = await encrypted(running)
  for (const when of [0, 2, 8, ...moments] as const) {
    const target = current + 1
    const seal = `file:${path(target)}`
    const isAnswered = await server.dieDuring(when, () => server.ask('BeginRekey', { seal }))
    running = await server.begin(seal)
    const hasMoved = await isOpen(running)
    assertOutcome(when, isAnswered, hasMoved)
    if (hasMoved) current = target
    else {
      assert.match(running.stderr(), /key file \S+ (?:is missing|does not open)/)
      running = await server.begin(`file:${path(current)}`)
    }
    await assertOpens(running, blob)
    if (hasMoved && existsSync(path(target - 1))) {
      await server.kill()
      const former = await server.begin(`file:${path(target - 1)}`)
      assert.equal((await former.ended).code, 1)
      running = await server.begin(`file:${path(current)}`)
      await assertOpens(running, blob)
    }
  }
})

test('killed at each step with a recovery seal, its shares open it until another opens', async (t) => {
  const server = killed(t)
  const path = join(server.folder, 'seal.key')
  const file = `file:${path}`
  let running = await server.begin(file)
  const blob = await encrypted(running)
  const restarted = async (): Promise<void> => {
    await server.kill()
    running = await server.begin(file)
  }
  const recovery = { recovery: true, shares: 2, threshold: 2 }
  const { shares: lost } = await server.ask('BeginRekey', recovery)
  await restarted()
  await assertOpens(running, blob)
  // Shares that were not seen are made anew; those that were seen still count.
  const { shares = [] } = await server.ask('BeginRekey', recovery)
  await restarted()
  await assertOpens(running, blob)
  await assert.rejects(server.give('ContinueRekey', lost), /is of another seal/)
  await server.give('ContinueRekey', shares.slice(0, 1))
  await restarted()
  await assertOpens(running, blob)
  const prove = () => server.give('ContinueRekey', shares)
  await server.dieDuring('within 1', prove)
  running = await server.begin(file)
  await assertOpens(running, blob)
  // It is not in force yet.
  assert.partialDeepStrictEqual(await server.ask('GetStatus'), { seal: { recovery: false } })
  await server.dieDuring('after 1', prove)

  renameSync(path, `${path}-lost`)
  const recovered = async (): Promise<void> => {
    running = await server.begin(file)
    while (!/"opensWith":"recovery"/.test(JSON.stringify(await server.ask('GetStatus')))) {
      await delay(20)
    }
    await server.give('Unseal', shares)
    await assertOpens(running, blob)
  }
  await recovered()
  // The move to another key file, which people agree to. A kill leaves the recovery seal in force.
  const next = `file:${path}-next`
  await server.ask('BeginRekey', { seal: next })
  await server.kill()
  await recovered()
  await server.ask('BeginRekey', { seal: next })
  await server.give('ContinueRekey', shares.slice(0, 1))
  await server.kill()
  await recovered()
  await server.ask('BeginRekey', { seal: next })
  await server.dieDuring('within 2', prove)
  await recovered()
  await server.ask('BeginRekey', { seal: next })
  assert.equal((await prove())['stage'], 'done')
  await server.kill()
  running = await server.begin(next)
  await assertOpens(running, blob)
  assert.partialDeepStrictEqual(await server.ask('GetStatus'), {
    seal: { kind: 'file', recovery: true },
  })
})

/** About the time of one use of the device. */
const usualMs = { kms: 150, pkcs11: 200, tpm2: 1500 } as const
for (const kind of ['kms', 'pkcs11', 'tpm2'] as const) {
  test(
    `${kind}: killed while the root key is made, moved there and back, and rotated, one seal opens it`,
    { skip: noSealOf(kind) ?? false },
    async (t) => {
      const seal = await testedSeal(t, kind)
      const { setting: device } = seal
      const server = killed(t, { ...seal.environment, ...seal.settings })
      const path = (number: number): string => `file:${join(server.folder, `${number}.key`)}`
      const after = (part: number): number => part * usualMs[kind]
      for (const when of ['within 1' as const, after(0.3), after(1)]) {
        await server.begin(device)
        await server.dieDuring(when, () => server.ask('Initialize'))
      }
      let current = device
      let running = await server.begin(device)
      await server.ask('Initialize').catch((error: unknown) => {
        // The last kill came after the root key was made.
        assert.match(String(error), /has its root key already|is not sealed/)
      })
      const blob = await encrypted(running)
      // From one to the other, and back.
      for (const [number, when] of (
        [after(0.3), ...moments, 'within 2', 'after 2'] as const
      ).entries()) {
        const target = current === device ? path(number) : device
        const move = () => server.ask('BeginRekey', { seal: target })
        const isAnswered = await server.dieDuring(when, move)
        running = await server.begin(target)
        const hasMoved = await isOpen(running)
        assertOutcome(when, isAnswered, hasMoved)
        if (!hasMoved) running = await server.begin(current)
        else if (typeof when === 'string') {
          await server.kill()
          assert.equal((await (await server.begin(current)).ended).code, 1)
          running = await server.begin(target)
        }
        if (hasMoved) current = target
        await assertOpens(running, blob)
      }
      if (current !== device) await server.ask('BeginRekey', { seal: device })
      const generation = async (): Promise<number> =>
        ((await server.ask('GetStatus'))['seal'] as SealStatus).generation
      for (const when of [after(0.3), 'within 2', 'after 2'] as const) {
        const before = await generation()
        const rotate = () => server.ask('BeginRekey', { rotate: true })
        const isAnswered = await server.dieDuring(when, rotate)
        running = await server.begin(device)
        await assertOpens(running, blob)
        assertOutcome(when, isAnswered, (await generation()) > before)
      }
      // Nothing of the uses that were killed is left.
      assert.deepEqual(seal.device?.left?.() ?? [], [])
    },
  )
}
