/**
 * A server that is killed at any moment of a rotation of its root key, with changes under load: every ciphertext
 * opens afterwards, the wrapping anew goes on by itself, and the database has no finding.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { SealStatus } from '../../src/operations/contract/seal-controls.ts'
import { verify } from '../cli/verified.ts'
import { end, freePort, ready, temporaryFolder, trent } from '../start/serve-process.ts'
import { clientOf, settings } from './fixed-account.ts'

const keysBefore = 300

test('killed at any moment of a rotation, a server loses nothing and goes on', async (t) => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const ask = (operation: string, input?: object) => callOperator(data, operation, input)
  const begin = () => trent(t, ['serve'], { ...freePort(folder), ...settings }, folder)
  const sealOf = async () => ((await ask('GetStatus')) as { readonly seal: SealStatus }).seal
  let running = begin()
  let kms = clientOf(await ready(running))
  const ciphertexts: Uint8Array[] = []
  const make = async (): Promise<void> => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
    const { CiphertextBlob = new Uint8Array() } = await kms.send(new EncryptCommand(input))
    ciphertexts.push(CiphertextBlob)
  }
  for (let made = 0; made < keysBefore; made += 10) {
    await Promise.all(Array.from({ length: 10 }, make))
  }
  const restarted = async (): Promise<void> => {
    kms.destroy()
    running = begin()
    kms = clientOf(await ready(running))
  }
  const assertOpens = async (): Promise<void> => {
    for (const CiphertextBlob of ciphertexts.slice(-20)) {
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
      assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
    }
  }
  const seen: string[] = []
  for (const afterMs of [0, 5, 20, 60, 150, 400]) {
    const over = new AbortController()
    const load = (async () => {
      while (!over.signal.aborted) await make().catch(() => undefined)
    })()
    const asked = ask('BeginRekey', { rotate: true }).catch(() => undefined)
    await delay(afterMs)
    over.abort()
    await end(running, 'SIGKILL')
    await asked
    await load
    await restarted()
    await assertOpens()
    const { generation, former } = await sealOf()
    seen.push(`${generation}/${former?.generations ?? 0}`)
  }
  // At least one kill found a rotation that was not over.
  assert.ok(
    seen.some((each) => !each.endsWith('/0')),
    seen.join(),
  )
  t.diagnostic(`generation/former after each kill: ${seen.join(', ')}`)
  if ((await sealOf()).generation === 1) await ask('BeginRekey', { rotate: true })
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await sealOf()).former?.state === 'rewrapped') break
    await delay(100)
  }
  const { generation } = await sealOf()
  for (const afterMs of [2, 10]) {
    const asked = ask('RetireRootKeys', { endSessions: true }).catch(() => undefined)
    await delay(afterMs)
    await end(running, 'SIGKILL')
    await asked
    await restarted()
    await assertOpens()
    for (let tries = 0; tries < 600; tries += 1) {
      if ((await sealOf()).former?.state !== 'rewrapping') break
      await delay(100)
    }
  }
  if ((await sealOf()).former !== undefined) await ask('RetireRootKeys', { endSessions: true })
  assert.deepEqual(await sealOf().then((seal) => [seal.generation, seal.former]), [
    generation,
    undefined,
  ])
  for (const CiphertextBlob of ciphertexts) await kms.send(new DecryptCommand({ CiphertextBlob }))
  await end(running, 'SIGTERM')
  kms.destroy()
  assert.deepEqual((await verify(data)).report.findings, [])
})
