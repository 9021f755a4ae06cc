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
import { noSealOf, testedSeal } from '../seals/every-seal.ts'
import { end, freePort, ready, temporaryFolder, trent } from '../start/serve-process.ts'
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

test('killed at any moment of a move between key files, exactly one of them opens it', async (t) => {
  const server = killed(t)
  const path = (number: number): string => join(server.folder, `${number}.key`)
  let current = 0
  let running = await server.begin(`file:${path(0)}`)
  const blob = await encrypted(running)
  const moves: boolean[] = []
  for (const afterMs of [0, 1, 2, 4, 8, 40]) {
    const target = current + 1
    const moving = server.ask('BeginRekey', { seal: `file:${path(target)}` }).then(
      () => true,
      () => false,
    )
    await delay(afterMs)
    await server.kill()
    const isAnswered = await moving
    running = await server.begin(`file:${path(target)}`)
    const outcome = await Promise.race([ready(running), running.ended]).catch(() => undefined)
    const hasMoved = outcome !== undefined && 'url' in outcome
    // What was answered is in force.
    if (isAnswered) assert.ok(hasMoved)
    if (hasMoved) current = target
    else {
      assert.match(running.stderr(), /key file \S+ (?:is missing|does not open)/)
      running = await server.begin(`file:${path(current)}`)
    }
    moves.push(hasMoved)
    await assertOpens(running, blob)
    if (hasMoved && existsSync(path(target - 1))) {
      await server.kill()
      const former = await server.begin(`file:${path(target - 1)}`)
      assert.equal((await former.ended).code, 1)
      running = await server.begin(`file:${path(current)}`)
      await assertOpens(running, blob)
    }
  }
  t.diagnostic(`moved: ${moves.join(', ')}`)
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
  assert.equal((await server.give('ContinueRekey', shares))['stage'], 'done')
  await server.kill()

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
  assert.equal((await server.give('ContinueRekey', shares))['stage'], 'done')
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
      for (const part of [0.1, 0.3, 0.6, 1]) {
        await server.begin(device)
        const made = server.ask('Initialize').catch(() => undefined)
        await delay(part * usualMs[kind])
        await server.kill()
        await made
      }
      let current = device
      let running = await server.begin(device)
      await server.ask('Initialize').catch((error: unknown) => {
        // The last kill came after the root key was made.
        assert.match(String(error), /has its root key already|is not sealed/)
      })
      const blob = await encrypted(running)
      const moves: boolean[] = []
      for (const [number, part] of [0, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2.5].entries()) {
        const target = current === device ? path(number) : device
        const moving = server.ask('BeginRekey', { seal: target }).then(
          () => true,
          () => false,
        )
        await delay(part * usualMs[kind])
        await server.kill()
        const isAnswered = await moving
        running = await server.begin(target)
        const outcome = await Promise.race([ready(running), running.ended]).catch(() => undefined)
        const hasMoved = outcome !== undefined && 'url' in outcome
        if (isAnswered) assert.ok(hasMoved)
        if (hasMoved) current = target
        else running = await server.begin(current)
        moves.push(hasMoved)
        await assertOpens(running, blob)
      }
      t.diagnostic(`moved: ${moves.join(', ')}`)
      if (current !== device) await server.ask('BeginRekey', { seal: device })
      for (const part of [0.3, 1]) {
        const rotating = server.ask('BeginRekey', { rotate: true }).catch(() => undefined)
        await delay(part * usualMs[kind])
        await server.kill()
        await rotating
        running = await server.begin(device)
        await assertOpens(running, blob)
      }
      // Nothing of the uses that were killed is left.
      assert.deepEqual(seal.device?.left?.() ?? [], [])
    },
  )
}
