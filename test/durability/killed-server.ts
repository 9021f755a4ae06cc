/** A server that a test kills and starts again, with whatever seal, sealed or not. @module */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
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
import type { SealMoment } from './deadly-database.ts'
import { clientOf, settings } from './fixed-account.ts'

export type Answer = Readonly<Record<string, unknown>> & { readonly shares?: readonly string[] }

export interface Killed {
  readonly folder: string
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  /** Gives each of the secrets, and returns the last answer. */
  readonly give: (operation: string, secrets?: readonly string[]) => Promise<Answer>
  /** Starts it with this seal, and waits until its door answers. */
  begin(seal: string): Promise<Running>
  kill(): Promise<void>
  /**
   * Kills it while it is at `work`: after as many milliseconds, or exactly at this moment.
   * @returns whether the work was answered; never if it dies at a moment
   */
  dieDuring(when: SealMoment | number, work: () => Promise<Answer>): Promise<boolean>
}

const preloaded = pathToFileURL(join(import.meta.dirname, 'deadly-database.ts')).href

export function killed(t: TestContext, more: Settings = {}): Killed {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const moment = join(folder, 'dies-at')
  const deadly = { NODE_OPTIONS: `--import=${preloaded}`, DIES_AT: moment }
  let running: Running | undefined
  const ask = async (operation: string, input?: object): Promise<Answer> =>
    (await callOperator(data, operation, input)) as Answer
  return {
    folder,
    ask,
    async give(operation, secrets = []) {
      let last: Answer = {}
      for (const secret of secrets) last = await ask(operation, { secret })
      return last
    },
    async begin(seal) {
      const all = { ...freePort(folder), ...settings, ...deadly, ...more, TRENT_SEAL: seal }
      running = trent(t, ['serve'], all, folder)
      const answers = async (): Promise<boolean> =>
        callOperator(data, 'GetStatus').then(
          // Before it has chosen its seal, it takes no secrets.
          (status) => 'seal' in Object(status),
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
    async dieDuring(when, work) {
      assert.ok(running)
      if (typeof when === 'string') {
        writeFileSync(moment, when)
        await assert.rejects(work(), /no server answers at/, when)
        assert.deepEqual(await running.ended, { code: null, signal: 'SIGKILL' })
        rmSync(moment)
        return false
      }
      const answered = work().then(
        () => true,
        () => false,
      )
      await delay(when)
      await end(running, 'SIGKILL')
      return answered
    },
  }
}

export async function encrypted(running: Running): Promise<Uint8Array> {
  const kms = clientOf(await ready(running))
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const input = { KeyId: KeyMetadata?.KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob = new Uint8Array() } = await kms.send(new EncryptCommand(input))
  kms.destroy()
  return CiphertextBlob
}

export async function assertOpens(running: Running, CiphertextBlob: Uint8Array): Promise<void> {
  const kms = clientOf(await ready(running))
  const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
  assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
  kms.destroy()
}
