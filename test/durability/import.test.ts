/**
 * A server that dies while material is imported, taken away or expires: after the next start each has been
 * done whole or not at all, has one record if and only if it was done, and can be done again.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { forever, importing } from '../compat/importing.ts'
import { end, freePort, ready, run, serve, temporaryFolder } from '../start/serve-process.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'
import { assertOneStory, readStoredAndRecorded } from './stored-and-recorded.ts'

const script = join(import.meta.dirname, 'stopping-server.ts')
const Plaintext = Buffer.from('sealed before')
const material = randomBytes(32)
const patienceMs = 120_000

/** The batches of records: making, parameters, import, sealing, and what follows. */
const batches = { ImportKeyMaterial: 3, DeleteImportedKeyMaterial: 5, DeleteExpiredKeyMaterial: 5 }

for (const [name, batch] of Object.entries(batches)) {
  for (const moment of ['before write', 'half written', 'before sync', 'after sync'] as const) {
    test(`${name} is done whole or not at all when the server dies ${moment} of its record`, async (t) => {
      const folder = temporaryFolder(t)
      const command = [process.execPath, script, moment, String(batch), 'ready'] as const
      const dying = await ready(run(t, [...command], { ...freePort(folder), ...settings }, folder))
      const client = clientOf(dying)
      const { makeExternal, parameters, send, take } = importing(client)
      const KeyId = await makeExternal()
      const by = await parameters(KeyId)
      const ValidTo = new Date(Date.now() + 6000)
      const expires = name === 'DeleteExpiredKeyMaterial'
      const sent = send(KeyId, material, by, expires ? { ValidTo } : forever)
      let blob: Uint8Array | undefined
      if (name === 'ImportKeyMaterial') await assert.rejects(sent)
      else {
        await sent
        const sealed = await client.send(new EncryptCommand({ KeyId, Plaintext }))
        blob = sealed.CiphertextBlob
        if (!expires) await assert.rejects(take(KeyId))
      }
      assert.deepEqual(await dying.ended, { code: null, signal: 'SIGKILL' })
      client.destroy()

      const next = await serve(t, folder, settings)
      const again = clientOf(next)
      const after = importing(again)
      const deadline = Date.now() + patienceMs
      const state = async (): Promise<string> => (await after.state(KeyId)).split(' ')[0] ?? ''
      // What had committed is done, and its record is there; an expiry that had not comes now.
      const done = name === 'ImportKeyMaterial' ? 'Enabled' : 'PendingImport'
      while ((await state()) !== done) {
        assert(Date.now() < deadline, await after.state(KeyId))
        await sleep(50)
      }
      await after.send(KeyId, material, by)
      assert.equal(await state(), 'Enabled')
      if (blob !== undefined) await again.send(new DecryptCommand({ CiphertextBlob: blob }))
      again.destroy()
      assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })

      const found = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
      assert.equal(found.outboxRows, 0)
      const count = (of: string): number =>
        found.records.filter(({ eventName }) => eventName === of).length
      assert.equal(count('ImportKeyMaterial'), 2)
      if (name !== 'ImportKeyMaterial') assert.equal(count(name), 1)
      assertOneStory(found)
    })
  }
}
