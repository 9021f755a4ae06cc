/** Trials of the seal of a running server: when it is asked, and what is said of it. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileSeal } from '../../src/seals/file.ts'
import { SealRefused, SealStopped, SealUnavailable, type Seal } from '../../src/seals/seal.ts'
import { shamirSeal } from '../../src/seals/shamir.ts'
import { createOwnSeal, type OwnSeal } from '../../src/server/own-seal.ts'
import { openDeployment } from '../../src/server/root-key.ts'
import { openDatabase } from '../../src/store/open.ts'
import { realRandom } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'

const minute = 60_000

interface Tried {
  readonly own: OwnSeal
  /** What the seal answers instead of opening. */
  failing: Error | undefined
  /** How often it was asked. */
  readonly asked: () => number
  readonly opens: () => unknown
  readonly warnings: readonly unknown[]
  readonly pass: (minutes: number) => Promise<void>
  readonly secretFile: string
}

/** A running server's seal with a key file, which a device stands for. */
async function tried(t: TestContext, hasOpened = true): Promise<Tried> {
  const folder = temporaryFolder(t)
  const database = await openDatabase({ path: join(folder, 'trent.db') })
  t.after(() => database.close())
  const real = fileSeal(join(folder, 'seal.key'), realRandom)
  let now = 1
  const clock = { now: () => now, system: () => now }
  await openDeployment({ database, seal: real, clock, random: realRandom })
  const secretFile = join(folder, 'pin')
  writeFileSync(secretFile, 'wrong')
  let asked = 0
  const seal: Seal = {
    ...real,
    secretFile,
    open(record, deploymentId) {
      const opening = real.open(record, deploymentId)
      const give = async () => {
        asked += 1
        if (world.failing) throw world.failing
        return opening.give()
      }
      return { ...opening, give }
    },
  }
  const warnings: unknown[] = []
  const log = {
    info: () => undefined,
    warn: (told: unknown) => void warnings.push(told),
    error: assert.fail,
  }
  const own = createOwnSeal({ database, seal, hasOpened, clock, log })
  t.after(() => own.close())
  const world: Tried = {
    own,
    failing: undefined,
    asked: () => asked,
    opens: () => own.readers.trent_seal_opens?.(),
    warnings,
    async pass(minutes) {
      now += minutes * minute
      await own.runDue()
    },
    secretFile,
  }
  return world
}

test('a seal is tried every five minutes, and each minute while it does not open', async (t) => {
  const world = await tried(t)
  const { own, asked, opens, warnings, pass } = world
  await pass(0)
  assert.deepEqual([asked(), opens(), own.status()], [0, 1, {}])
  await pass(5)
  await pass(4)
  assert.deepEqual([asked(), opens()], [1, 1])
  world.failing = new SealUnavailable('the device is away')
  await pass(1)
  assert.deepEqual([asked(), opens()], [2, 0])
  await pass(1)
  await pass(0)
  const since = new Date(1 + 10 * minute).toISOString()
  assert.deepEqual(own.status(), { doesNotOpen: { reason: 'the device is away', since } })
  assert.deepEqual([asked(), warnings], [3, [{ reason: 'the device is away' }]])
  world.failing = undefined
  await pass(1)
  assert.deepEqual([asked(), opens(), own.status()], [4, 1, {}])
  await pass(4)
  assert.equal(asked(), 4)
})

test('a seal that did not open this start is tried at once', async (t) => {
  const world = await tried(t, false)
  world.failing = new SealRefused('the key is gone')
  assert.equal(world.opens(), undefined)
  await world.pass(0)
  assert.deepEqual([world.asked(), world.opens()], [1, 0])
})

test('whoever needs the root key waits for the next trial, and an operator does not', async (t) => {
  const world = await tried(t)
  const { own, asked, opens, pass } = world
  world.failing = new SealUnavailable('the device is away')
  for (let times = 0; times < 3; times += 1) await assert.rejects(own.open('if due'), /is away/)
  assert.deepEqual([asked(), opens()], [1, 0])
  world.failing = undefined
  await assert.rejects(own.open('if due'), /is away/)
  const { rootKey } = await own.open('now')
  assert.deepEqual([rootKey.symmetricKeySize, asked(), opens()], [32, 2, 1])
  world.failing = new SealUnavailable('the device is away')
  await assert.rejects(own.open('now'), /is away/)
  world.failing = undefined
  await pass(1)
  await own.open('if due')
  assert.deepEqual([asked(), opens()], [5, 1])
})

test('a secret that a device refused is not tried again, by nobody, before its file changes', async (t) => {
  const world = await tried(t)
  const { own, asked, opens, pass, secretFile } = world
  world.failing = new SealStopped('the PIN is wrong')
  await pass(5)
  assert.deepEqual([asked(), opens()], [1, 0])
  world.failing = undefined
  for (let times = 0; times < 10; times += 1) await pass(5)
  await assert.rejects(own.open('now'), SealStopped)
  await assert.rejects(own.open('if due'), SealStopped)
  assert.equal(asked(), 1)
  writeFileSync(secretFile, 'right')
  await pass(1)
  assert.deepEqual([asked(), opens()], [2, 1])
})

test('without a file, a secret that was refused is not tried again before another seal', async (t) => {
  const world = await tried(t)
  const { own, asked, opens, pass } = world
  const { secretFile: _, ...seal } = own.current()
  own.move(seal)
  world.failing = new SealStopped('the PIN is wrong')
  await pass(5)
  world.failing = undefined
  await pass(5)
  assert.deepEqual([asked(), opens()], [1, 0])
  own.move({ ...seal })
  assert.deepEqual([opens(), own.status()], [1, {}])
  await pass(5)
  assert.deepEqual([asked(), opens()], [2, 1])
})

test('of a seal that people open, the kind is checked, and nothing else', async (t) => {
  const { own, opens, pass } = await tried(t)
  own.move(shamirSeal(realRandom))
  assert.equal(opens(), undefined)
  await pass(5)
  // The database says otherwise: another node has moved it.
  assert.equal(opens(), 0)
  assert.match(own.status().doesNotOpen?.reason ?? '', /sealed by file, and TRENT_SEAL is shamir/)
  own.move({ ...shamirSeal(realRandom), kind: 'file' })
  await pass(5)
  assert.deepEqual([opens(), own.status()], [undefined, {}])
  await assert.rejects(own.open('now'), /people must open it/)
})
