/**
 * A server that is killed again and again while it is called: once it runs, every record of the journal can
 * be looked up, and none twice.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudTrailClient, paginateLookupEvents, type Event } from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { end, serve, temporaryFolder } from '../start/serve-process.ts'
import { recordsOf } from '../compat/records.ts'
import { clientOf, region, settings } from './fixed-account.ts'

const patienceMs = 60_000

test(
  'a server that is killed leaves no gap in the event index, and nothing twice',
  { timeout: 300_000 },
  async (t) => {
    const folder = temporaryFolder(t)
    const Plaintext = Buffer.from('x')
    for (const livesMs of [300, 1200, 1900]) {
      const server = await serve(t, folder, settings)
      const client = clientOf(server)
      const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
      const KeyId = KeyMetadata?.KeyId
      const until = performance.now() + livesMs
      while (performance.now() < until) await client.send(new EncryptCommand({ KeyId, Plaintext }))
      client.destroy()
      assert.deepEqual(await end(server, 'SIGKILL'), { code: null, signal: 'SIGKILL' })
    }
    const last = await serve(t, folder, settings)
    const recorded = (await recordsOf(join(folder, 'data')))
      .filter(
        ({ eventSource, awsRegion }) => eventSource === 'kms.amazonaws.com' && awsRegion === region,
      )
      .map(({ eventID }) => eventID)
    assert(recorded.length > 30, `${recorded.length} records`)
    const found = await lookedUp(last.url, recorded.length)
    assert.deepEqual(found.map(({ EventId = '' }) => EventId).sort(), recorded.toSorted())
    await end(last, 'SIGTERM')
  },
)

/** All events of KMS, once there are as many as are recorded. */
async function lookedUp(endpoint: string, count: number): Promise<readonly Event[]> {
  const credentials = {
    accessKeyId: settings.TRENT_ROOT_ACCESS_KEY_ID,
    secretAccessKey: settings.TRENT_ROOT_SECRET_ACCESS_KEY,
  }
  const client = new CloudTrailClient({ endpoint, region, credentials })
  const LookupAttributes = [
    { AttributeKey: 'EventSource', AttributeValue: 'kms.amazonaws.com' },
  ] as const
  const deadline = performance.now() + patienceMs
  for (;;) {
    const events: Event[] = []
    const pages = paginateLookupEvents({ client }, { LookupAttributes: [...LookupAttributes] })
    for await (const { Events = [] } of pages) events.push(...Events)
    if (events.length >= count) {
      client.destroy()
      return events
    }
    assert(performance.now() < deadline, `${events.length} of ${count}`)
    await sleep(200)
  }
}
