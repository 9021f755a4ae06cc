/** A deployment whose server stops and starts, and what its database then stores of seals. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateKeyCommand, DecryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { fileSeal } from '../../src/seals/file.ts'
import type { SealState } from '../../src/server/unseal-parts.ts'
import { realRandom } from '../crypto/fixed.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { encrypted } from '../server/filled.ts'
import { temporaryFolder } from '../store/engines.ts'
import type { TestedSeal } from './every-seal.ts'

export interface Answer {
  readonly stage?: string
  readonly shares?: readonly string[]
  readonly seal?: SealState
}

export interface Stored {
  readonly kind: string
  readonly sealed: Uint8Array
}

/** At most one server of it runs. */
export interface Deployment {
  readonly start: (seal: TestedSeal) => Promise<TestServer>
  readonly stop: () => Promise<void>
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  readonly give: (operation: string, secrets: readonly string[]) => Promise<Answer>
  /** Waits until the server is open. */
  readonly decrypts: () => Promise<void>
  /** Makes a key, and encrypts what `decrypts` decrypts. */
  readonly encrypt: () => Promise<void>
  /** Waits until the seal has not opened, and returns how the server stands. */
  readonly hasNotOpened: () => Promise<SealState>
  /** The record of the current seal. The server is stopped. */
  readonly read: () => Stored
  readonly write: (record: Stored) => void
  readonly id: () => string
  readonly readRecovery: () => Uint8Array
  readonly writeRecovery: (sealed: Uint8Array) => void
}

export function deployment(t: TestContext): Deployment {
  let running: TestServer | undefined
  let blob = new Uint8Array()
  const stop = async (): Promise<void> => running?.stop('keep')
  t.after(stop)
  const directory = join(temporaryFolder(t), 'data')
  const server = (): TestServer => running ?? assert.fail('nothing runs')
  const ask: Deployment['ask'] = async (operation, input) =>
    (await callOperator(directory, operation, input)) as Answer
  const query = (text: string, ...values: (Uint8Array | string)[]) => {
    const file = new DatabaseSync(join(directory, 'trent.db'))
    const rows = file.prepare(text).all(...values)
    file.close()
    return rows
  }
  const bytesOf = (rows: ReturnType<typeof query>): Uint8Array => {
    assert.equal(rows.length, 1)
    return rows[0]?.['sealed_root_key'] as Uint8Array // a column of bytes
  }
  return {
    stop,
    ask,
    async start({ kind, setting, settings }) {
      // The harness waits until a key file opens, and here it does not always.
      const path = setting.slice('file:'.length)
      const given = kind === 'file' ? { seal: Promise.resolve(fileSeal(path, realRandom)) } : {}
      running = await startTestServer({ ...settings, TRENT_SEAL: setting }, { directory, ...given })
      return running
    },
    async give(operation, secrets) {
      let last: Answer = {}
      for (const secret of secrets) last = await ask(operation, { secret })
      return last
    },
    async encrypt() {
      await server().server.ready
      const { KeyMetadata } = await server().client().send(new CreateKeyCommand({}))
      blob = Uint8Array.from(await encrypted(server(), KeyMetadata?.KeyId))
    },
    async decrypts() {
      await server().server.ready
      const { Plaintext } = await server()
        .client()
        .send(new DecryptCommand({ CiphertextBlob: blob }))
      assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
    },
    async hasNotOpened() {
      for (;;) {
        const { seal } = await ask('GetStatus')
        if (seal?.reason !== undefined) return seal
        await delay(20)
      }
    },
    read() {
      const rows = query('SELECT * FROM seals ORDER BY generation DESC LIMIT 1')
      return { kind: String(rows[0]?.['kind']), sealed: bytesOf(rows) }
    },
    write({ kind, sealed }) {
      const latest = 'generation = (SELECT max(generation) FROM seals)'
      query(`UPDATE seals SET kind = ?, sealed_root_key = ? WHERE ${latest}`, kind, sealed)
    },
    id: () => String(query('SELECT deployment_id FROM deployment')[0]?.['deployment_id']),
    readRecovery: () => bytesOf(query(`SELECT * FROM other_seals WHERE role = 'recovery'`)),
    writeRecovery: (sealed) =>
      void query(`UPDATE other_seals SET sealed_root_key = ? WHERE role = 'recovery'`, sealed),
  }
}
