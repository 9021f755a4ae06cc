/**
 * A server that is killed at each step of making and moving its root key: what was in force before a step,
 * or what the step puts in force, opens every ciphertext afterwards, and nothing else does.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import {
  end,
  freePort,
  ready,
  temporaryFolder,
  trent,
  type Running,
  type Settings,
} from '../start/serve-process.ts'
import { noSoftHsm, pin, softHsm } from '../pkcs11/soft-hsm.ts'
import { noSoftTpm, softTpm } from '../seals/soft-tpm.ts'
import { clientOf, settings } from './fixed-account.ts'

type Answer = Readonly<Record<string, unknown>> & { readonly shares?: readonly string[] }

interface Killed {
  readonly folder: string
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  /** Starts it with this seal, and waits until its door answers. */
  begin(seal: string): Promise<Running>
  kill(): Promise<void>
}

function killed(t: TestContext, more: Settings = {}): Killed {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  let running: Running | undefined
  return {
    folder,
    ask: async (operation, input) => (await callOperator(data, operation, input)) as Answer,
    async begin(seal) {
      running = trent(
        t,
        ['serve'],
        { ...freePort(folder), ...settings, ...more, TRENT_SEAL: seal },
        folder,
      )
      const answers = async (): Promise<boolean> =>
        callOperator(data, 'GetStatus').then(
          () => true,
          () => false,
        )
      const { child } = running
      while (child.exitCode === null && child.signalCode === null && !(await answers()))
        await delay(50)
      return running
    },
    async kill() {
      assert.ok(running)
      await end(running, 'SIGKILL')
    },
  }
}

async function giveAll(server: Killed, operation: string, secrets: readonly string[] = []) {
  let last: Answer = {}
  for (const secret of secrets) last = await server.ask(operation, { secret })
  return last
}

async function encrypted(running: Running): Promise<Uint8Array> {
  const kms = clientOf(await ready(running))
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob = new Uint8Array() } = await kms.send(new EncryptCommand(input))
  kms.destroy()
  return CiphertextBlob
}

async function assertOpens(running: Running, CiphertextBlob: Uint8Array): Promise<void> {
  const kms = clientOf(await ready(running))
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
  kms.destroy()
}

test('killed at each step of an initialisation, shares open it or it is made anew', async (t) => {
  const server = killed(t)
  await server.begin('shamir')
  await server.kill()
  await server.begin('shamir')
  const { shares: lost } = await server.ask('Initialize', { shares: 3, threshold: 2 })
  await server.kill()
  await server.begin('shamir')
  // The shares that a kill left unseen are nobody's; those that were seen still count.
  await server.ask('Unseal', { secret: lost?.[0] })
  await server.kill()
  await server.begin('shamir')
  const { shares } = await server.ask('Initialize', { shares: 3, threshold: 2 })
  await server.kill()
  await server.begin('shamir')
  await giveAll(server, 'Unseal', shares?.slice(0, 2))
  await server.kill()
  let running = await server.begin('shamir')
  await assert.rejects(server.ask('Unseal', { secret: lost?.[1] }), /is of another seal/)
  await giveAll(server, 'Unseal', shares)
  const blob = await encrypted(running)
  await server.kill()
  running = await server.begin('shamir')
  await giveAll(server, 'Unseal', shares?.slice(1))
  await assertOpens(running, blob)
})

test('killed at each step of a rekey, the former shares open it until the new ones are proved', async (t) => {
  const server = killed(t)
  let running = await server.begin('shamir')
  const { shares: old } = await server.ask('Initialize', { shares: 2, threshold: 2 })
  await giveAll(server, 'Unseal', old)
  const blob = await encrypted(running)
  const restarted = async (shares: readonly string[] | undefined): Promise<void> => {
    await server.kill()
    running = await server.begin('shamir')
    await giveAll(server, 'Unseal', shares)
    await assertOpens(running, blob)
  }
  await server.ask('BeginRekey', { seal: 'shamir', shares: 3, threshold: 2 })
  await restarted(old)
  await server.ask('BeginRekey', { seal: 'shamir', shares: 3, threshold: 2 })
  await giveAll(server, 'ContinueRekey', old?.slice(0, 1))
  await restarted(old)
  await server.ask('BeginRekey', { seal: 'shamir', shares: 3, threshold: 2 })
  const { shares: next } = await giveAll(server, 'ContinueRekey', old)
  await server.kill()
  running = await server.begin('shamir')
  await assert.rejects(server.ask('Unseal', { secret: next?.[0] }), /is of another seal/)
  await giveAll(server, 'Unseal', old)
  await assertOpens(running, blob)
  await giveAll(server, 'ContinueRekey', next?.slice(0, 2))
  await restarted(old)
  // Everyone proves again: a proof that was cut short counts for nothing.
  const done = await giveAll(server, 'ContinueRekey', next)
  assert.equal(done['stage'], 'done')
  await server.kill()
  running = await server.begin('shamir')
  await assert.rejects(server.ask('Unseal', { secret: old?.[0] }), /is of another seal/)
  await giveAll(server, 'Unseal', next?.slice(1))
  await assertOpens(running, blob)
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

/**
 * Kills a server at many moments of its initialisation by a device, and of moves from it to key files and back.
 * @param usualMs about the time of one use of the device
 */
async function killedByDevice(
  t: TestContext,
  server: Killed,
  device: string,
  usualMs: number,
): Promise<void> {
  const path = (number: number): string => `file:${join(server.folder, `${number}.key`)}`
  for (const part of [0.1, 0.3, 0.6, 1]) {
    await server.begin(device)
    const made = server.ask('Initialize').catch(() => undefined)
    await delay(part * usualMs)
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
    await delay(part * usualMs)
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
}

test(
  'killed at any moment of an initialisation by an HSM, and of moves to it and back, one seal opens it',
  noSoftHsm === undefined ? {} : { skip: noSoftHsm },
  async (t) => {
    const { library, makeToken, environment } = softHsm(t)
    makeToken('trent')
    const server = killed(t, { ...environment, TRENT_PKCS11_ENVIRONMENT: 'SOFTHSM2_CONF' })
    const pinFile = join(server.folder, 'pin')
    writeFileSync(pinFile, pin, { mode: 0o600 })
    const key = `pkcs11:token=trent;object=k?module-path=${library}&pin-source=file:${pinFile}`
    await killedByDevice(t, server, key, 200)
  },
)

test(
  'killed at any moment of an initialisation by a TPM, and of moves to it and back, one seal opens it',
  noSoftTpm === undefined ? {} : { skip: noSoftTpm },
  async (t) => {
    const tpm = await softTpm(t)
    const server = killed(t, { PATH: tpm.path, TRENT_TPM2_TCTI: tpm.tcti })
    await killedByDevice(t, server, 'tpm2:pcrs=7', 1500)
    // A kill leaves a session there now and then. The TPM has room for 64, and a restart of the machine ends them.
    const sessions = ['loaded', 'saved'].map((kind) =>
      tpm.tpm2('getcap', `handles-${kind}-session`),
    )
    t.diagnostic(`sessions left: ${sessions.join('').split('\n').filter(Boolean).length}`)
  },
)
