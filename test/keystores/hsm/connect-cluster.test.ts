/**
 * The change of the password of `kmsuser`, with a crash at every step and with two nodes at once: the stored
 * passwords always have the one that the HSM has.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { UserPasswords } from '../../../src/crypto/key-store-secret.ts'
import { connectCluster } from '../../../src/keystores/hsm/connect-cluster.ts'
import { TokenError } from '../../../src/pkcs11/token-error.ts'
import type { Token } from '../../../src/pkcs11/token.ts'
import { realRandom } from '../../crypto/fixed.ts'

class Crashed extends Error {}

/** An HSM that has one password, and the row of its key store. */
interface Deployment {
  password: string
  stored: { readonly current: string; readonly next?: string }
  version: number
  wrongTries: number
  /** What stands before the password in a PIN. */
  readonly prefix: string
  readonly pinBytesMin: number
  readonly pinBytesMax: number
}

function deployment(more: Partial<Deployment> = {}): Deployment {
  const limits = { prefix: '', pinBytesMin: 4, pinBytesMax: 255 }
  const stored = { current: 'first' }
  return { password: 'first', stored, version: 1, wrongTries: 0, ...limits, ...more }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** A token that waits for its turn before each step, and may crash there. */
function tokenOf(hsm: Deployment, password: string, turn: () => Promise<void>): Token {
  const requirePassword = (): void => {
    if (hsm.password === password) return
    hsm.wrongTries += 1
    throw new TokenError('CKR_PIN_INCORRECT', 'the token says CKR_PIN_INCORRECT')
  }
  const unused = (): never => assert.fail('not used')
  return {
    async facts() {
      await turn()
      requirePassword()
      const { pinBytesMin, pinBytesMax } = hsm
      return { label: 'kms', serial: '1', pinBytesMin, pinBytesMax }
    },
    async setPin(next) {
      await turn()
      requirePassword()
      assert.ok(next.length >= hsm.pinBytesMin && next.length <= hsm.pinBytesMax)
      assert.ok(textOf(next).startsWith(hsm.prefix))
      hsm.password = textOf(next).slice(hsm.prefix.length)
      await turn()
    },
    findKeys: unused,
    generateKey: unused,
    destroyKey: unused,
    encrypt: unused,
    decrypt: unused,
    random: unused,
    close: () => undefined,
    retire: () => undefined,
  }
}

/** One attempt of one node, as the job makes it. */
async function attempt(
  hsm: Deployment,
  turn: () => Promise<void>,
  rotatesPin = true,
): Promise<void> {
  let { version } = hsm
  const { current, next } = hsm.stored
  const store = async (passwords: UserPasswords): Promise<void> => {
    await turn()
    if (hsm.version !== version) throw new Crashed('stale')
    version = hsm.version += 1
    hsm.stored = {
      current: textOf(passwords.current),
      ...(passwords.next && { next: textOf(passwords.next) }),
    }
    await turn()
  }
  const found = await connectCluster({
    passwords: {
      current: Buffer.from(current),
      ...(next !== undefined && { next: Buffer.from(next) }),
    },
    rotatesPin,
    random: realRandom,
    open: (password) => tokenOf(hsm, textOf(password), turn),
    pinOf: (password) => Buffer.concat([Buffer.from(hsm.prefix), password]),
    begin: store,
  })
  await store({ current: found })
}

const isKnown = ({ stored, password }: Deployment): boolean =>
  [stored.current, stored.next].includes(password)

test('a connection changes the password to a random one of 32 characters', async () => {
  const hsm = deployment()
  await attempt(hsm, async () => undefined)
  assert.match(hsm.password, /^[\w-]{32}$/)
  assert.deepEqual(hsm.stored, { current: hsm.password })
  const { password } = hsm
  await attempt(hsm, async () => undefined, false)
  assert.equal(hsm.password, password)
  assert.equal(hsm.wrongTries, 0)
})

test('a new password has a length that both AWS and the token allow', async () => {
  const lengths: readonly (readonly [given: Partial<Deployment>, characters: number])[] = [
    [{ pinBytesMin: 0, pinBytesMax: 7 }, 7],
    [{ pinBytesMin: 7, pinBytesMax: 16 }, 16],
    [{ pinBytesMin: 32, pinBytesMax: 64 }, 32],
    [{ pinBytesMin: 4, pinBytesMax: 1024 }, 32],
    [{ prefix: 'kmsuser:', pinBytesMin: 8, pinBytesMax: 15 }, 7],
    [{ prefix: 'kmsuser:', pinBytesMin: 40, pinBytesMax: 255 }, 32],
  ]
  for (const [given, characters] of lengths) {
    const hsm = deployment(given)
    await attempt(hsm, async () => undefined)
    assert.equal(hsm.password.length, characters, JSON.stringify(given))
    assert.deepEqual(hsm.stored, { current: hsm.password })
  }
})

test('a token that takes no password of such a length keeps its own', async () => {
  for (const given of [
    { pinBytesMin: 0, pinBytesMax: 6 },
    { pinBytesMin: 33, pinBytesMax: 255 },
    { prefix: 'kmsuser:', pinBytesMin: 8, pinBytesMax: 14 },
    { prefix: 'kmsuser:', pinBytesMin: 41, pinBytesMax: 255 },
  ]) {
    const hsm = deployment(given)
    await assert.rejects(
      attempt(hsm, async () => undefined),
      {
        code: 'CKR_PIN_LEN_RANGE',
        message: 'the token takes no password of 7 to 32 characters',
      },
    )
    assert.deepEqual([hsm.password, hsm.stored], ['first', { current: 'first' }])
    // Without a change, it connects.
    await attempt(hsm, async () => undefined, false)
  }
})

test('a password that is wrong is tried once', async () => {
  const hsm = deployment({ stored: { current: 'wrong' } })
  await assert.rejects(
    attempt(hsm, async () => undefined),
    { code: 'CKR_PIN_INCORRECT' },
  )
  assert.equal(hsm.wrongTries, 1)
})

test('a crash at any step loses no password, and the next attempt ends the change', async () => {
  for (let steps = 0; ; steps += 1) {
    const hsm = deployment()
    let left = steps
    const ended = await attempt(hsm, async () => {
      if (left === 0) throw new Crashed()
      left -= 1
    }).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof Crashed)
        return false
      },
    )
    assert.ok(isKnown(hsm), `after ${steps} steps`)
    await attempt(hsm, async () => undefined)
    assert.deepEqual(hsm.stored, { current: hsm.password })
    assert.ok(hsm.wrongTries <= 1)
    if (ended) return
  }
})

test('nodes that connect at once, in any order of their steps, lose no password', async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat({ max: 2 })), async (order) => {
      const hsm = deployment()
      const waiting: (readonly [node: number, go: () => void])[] = []
      const running = new Set([0, 1, 2])
      const nodes = [...running].map(async (node) => {
        const turn = () => new Promise<void>((resolve) => waiting.push([node, resolve]))
        // Each node tries again once, as its next round does.
        for (let round = 0; round < 2; round += 1) {
          await attempt(hsm, turn).catch((error: unknown) => {
            if (!(error instanceof Crashed || error instanceof TokenError)) throw error
          })
        }
        running.delete(node)
      })
      while (running.size > 0) {
        await new Promise((resolve) => setImmediate(resolve))
        if (waiting.length === 0) continue
        const step: unknown = order.next().value
        const [next] = waiting.splice(Number(step) % waiting.length, 1)
        next?.[1]()
        assert.ok(isKnown(hsm), JSON.stringify(hsm))
      }
      await Promise.all(nodes)
      assert.ok(isKnown(hsm), JSON.stringify(hsm))
    }),
    { numRuns: 200 },
  )
})
