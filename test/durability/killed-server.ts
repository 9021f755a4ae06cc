/** A server that a test kills and starts again, with whatever seal, sealed or not. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
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
}

export function killed(t: TestContext, more: Settings = {}): Killed {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
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
      const all = { ...freePort(folder), ...settings, ...more, TRENT_SEAL: seal }
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
