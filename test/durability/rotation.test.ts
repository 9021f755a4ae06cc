/**
 * A server that dies while a key is rotated: after the next start the key has been rotated once, the
 * rotation has one record, and what was sealed before opens.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { end, freePort, ready, run, serve, temporaryFolder } from '../start/serve-process.ts'
import { accountId, clientOf, region, settings } from './fixed-account.ts'
import { assertOneStory, readStoredAndRecorded } from './stored-and-recorded.ts'

const script = join(import.meta.dirname, 'stopping-server.ts')
const patienceMs = 120_000

/** The records of the making, the sealing, the start of the rotation and its end, each a batch. */
const started = 3
const ended = 4

for (const batch of [started, ended]) {
  for (const moment of ['before write', 'half written', 'before sync', 'after sync'] as const) {
    const what = batch === started ? 'the start of a rotation' : 'a rotation'
    test(`${what} is not lost, and not done twice, when the server dies ${moment} of its record`, async (t) => {
      const folder = temporaryFolder(t)
      const command = [process.execPath, script, moment, String(batch), 'ready'] as const
      const dying = await ready(run(t, [...command], { ...freePort(folder), ...settings }, folder))
      const client = clientOf(dying)
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
      const { KeyId = '', CurrentKeyMaterialId: first } = KeyMetadata ?? {}
      const Plaintext = Buffer.from('sealed before')
      const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
      const asked = client.send(new RotateKeyOnDemandCommand({ KeyId }))
      if (batch === started) await assert.rejects(asked)
      // Where the machine is slow, the server may die before its answer has left.
      else await asked.catch(() => undefined)
      assert.deepEqual(await dying.ended, { code: null, signal: 'SIGKILL' })
      client.destroy()

      const next = await serve(t, folder, settings)
      const again = clientOf(next)
      await rotated(again, KeyId)
      const described = await again.send(new DescribeKeyCommand({ KeyId }))
      assert.notEqual(described.KeyMetadata?.CurrentKeyMaterialId, first)
      const opened = await again.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
      assert.equal(opened.KeyMaterialId, first)
      again.destroy()
      assert.deepEqual(await end(next, 'SIGTERM'), { code: 0, signal: null })

      const found = await readStoredAndRecorded(join(folder, 'data'), accountId, region)
      assert.equal(found.outboxRows, 0)
      for (const name of ['RotateKeyOnDemand', 'RotateKey']) {
        const records = found.records.filter(({ eventName }) => eventName === name)
        assert.equal(records.length, 1, name)
      }
      assertOneStory(found)
    })
  }
}

async function rotated(client: KMSClient, KeyId: string): Promise<void> {
  const deadline = Date.now() + patienceMs
  const status = new GetKeyRotationStatusCommand({ KeyId })
  while ((await client.send(status)).OnDemandRotationStartDate !== undefined) {
    assert(Date.now() < deadline, 'the rotation does not end')
    await sleep(50)
  }
  const { Rotations } = await client.send(new ListKeyRotationsCommand({ KeyId }))
  assert.equal(Rotations?.length, 1)
}
