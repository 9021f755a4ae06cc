/** Delivery, LookupEvents and the verifier over the streams of two workers. @module */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { EncryptCommand } from '@aws-sdk/client-kms'
import { credentials, region } from '../../harness.ts'
import { makeKey } from '../../compat/sdk.ts'
import { advance } from '../../compat/test-clock.ts'
import { trentEnded } from '../../start/serve-process.ts'
import { manyCallers } from './many.ts'

test('records of all workers are looked up within five seconds, delivered once, and verified', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trent-delivered-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { server, clients } = await manyCallers(t, { TRENT_AUDIT_DIR: folder })
  const { keyId: KeyId } = await makeKey(server.client())
  const made = await Promise.all(
    clients.map((kms) => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))),
  )
  const wanted = new Set(made.map(({ $metadata }) => $metadata.requestId ?? ''))
  const trail = new CloudTrailClient({ region, endpoint: server.url, credentials })
  t.after(() => trail.destroy())
  const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'Encrypt' }]
  const deadline = performance.now() + 5000
  for (;;) {
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }))
    const found = Events.map(({ CloudTrailEvent }) => requestIdOf(CloudTrailEvent ?? '{}'))
    if ([...wanted].every((requestId) => found.includes(requestId))) break
    assert.ok(performance.now() < deadline, `${found.length} of ${wanted.size} within 5 seconds`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await advance(server.url, '6m')
  await advance(server.url, '2h')
  const delivered = (await recordsBelow(folder)).map(requestIdOf)
  for (const requestId of wanted) {
    assert.equal(delivered.filter((each) => each === requestId).length, 1, requestId)
  }
  await server.stop('keep')
  t.after(() => rmSync(server.directory, { recursive: true, force: true }))
  const journal = join(server.directory, 'journal')
  const command = ['verify-log', '--json', '--delivered', folder, journal]
  const verified = await trentEnded(t, command, {}, folder)
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  const { streams, delivered: report } = JSON.parse(verified.stdout) as {
    readonly streams: readonly { readonly stream: string; readonly records: number }[]
    readonly delivered: { readonly digests: number; readonly logFiles: number }
  }
  assert.deepEqual(
    streams.map(({ stream, records }) => [stream, records > 0]),
    [
      ['worker-0', true],
      ['worker-1', true],
    ],
  )
  assert.ok(report.digests > 0 && report.logFiles > 1)
})

function requestIdOf(record: string): string {
  return (JSON.parse(record) as { readonly requestID?: string }).requestID ?? ''
}

async function recordsBelow(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  const logs = names.filter((name) => name.endsWith('.json.gz') && !name.includes('Digest'))
  const files = await Promise.all(logs.map((name) => readFile(join(folder, name))))
  return files.flatMap((bytes) => {
    const { Records } = JSON.parse(gunzipSync(bytes).toString()) as { readonly Records: unknown[] }
    return Records.map((record) => JSON.stringify(record))
  })
}
