/** Two nodes that deliver to one archive. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { verifyLog } from '../../src/cli/verify-log.ts'
import {
  deliveredRecords,
  filesBelow,
  isDigest,
  isLog,
  jsonOf,
} from '../audit/delivery/delivered.ts'
import { advance } from '../compat/test-clock.ts'
import { skip, testDatabase, testedVersions } from '../store/postgres/shared-server.ts'
import { startNode, type Node } from './node-process.ts'
import { end, temporaryFolder } from './serve-process.ts'

const [version = 0] = testedVersions

interface Digest {
  readonly digestEndTime: string
  readonly logFiles: readonly {
    readonly s3Object: string
    readonly trent: { readonly range: { readonly stream: string } }
  }[]
  readonly trent: { readonly checkpoints: readonly { readonly text: string }[] }
}

async function use({ client }: Node, KeyId: string, times: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let time = 0; time < times; time += 1) {
    const Plaintext = Buffer.from(`${time}`)
    const { $metadata } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
    ids.push($metadata.requestId ?? '')
  }
  return ids
}

test(
  'two nodes deliver each record once, one chain of digests names the files of both, and both prove it',
  { skip },
  async (t) => {
    const { url } = await testDatabase(t, version)
    const archive = temporaryFolder(t)
    const settings = {
      TRENT_DATABASE_URL: url,
      TRENT_SEAL: `file:${join(temporaryFolder(t), 'seal.key')}`,
      TRENT_TEST_API: 'on',
      TRENT_AUDIT_DIR: archive,
    }
    const a = await startNode(t, settings)
    const b = await startNode(t, settings)
    const { KeyMetadata } = await a.client.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? ''
    const ids: string[] = []
    for (let hour = 0; hour < 3; hour += 1) {
      for (const node of [a, b]) ids.push(...(await use(node, KeyId, 3)))
      // Each node has its own clock of the tests; one ends the hour before the other has made its files.
      for (const node of hour === 1 ? [b, a] : [a, b]) await advance(node.url, '1h')
    }
    for (const node of [a, b]) await advance(node.url, '1h')

    const records = await deliveredRecords(archive)
    const found = records.map(({ requestID }) => requestID)
    for (const id of ids) assert.equal(found.filter((each) => each === id).length, 1, id)
    assert.equal(new Set(records.map(({ eventID }) => eventID)).size, records.length)

    const names = await filesBelow(archive)
    const digests = await Promise.all(
      names.filter(isDigest).map((name) => jsonOf<Digest>(archive, name)),
    )
    assert.equal(new Set(digests.map(({ digestEndTime }) => digestEndTime)).size, digests.length)
    const listed = digests.flatMap(({ logFiles }) => logFiles.map(({ s3Object }) => s3Object))
    assert.equal(new Set(listed).size, listed.length)
    // The files of the last hour have no digest yet.
    const last =
      digests
        .map(({ digestEndTime }) => digestEndTime)
        .toSorted()
        .at(-1) ?? ''
    const until = last.replaceAll(/[-:]/g, '')
    const over = names.filter(
      (name) => isLog(name) && (/_(\d{8}T\d{4})Z_/.exec(name)?.[1] ?? '') < until,
    )
    assert.deepEqual(listed.toSorted(), over)
    const streams = new Set(
      digests.flatMap(({ logFiles }) => logFiles.map(({ trent }) => trent.range.stream)),
    )
    assert.equal(streams.size, 2)
    assert.equal(digests.at(-1)?.trent.checkpoints.length, 2)

    for (const node of [a, b]) {
      assert.deepEqual(await end(node, 'SIGTERM'), { code: 0, signal: null })
      let report = ''
      const status = await verifyLog({
        directory: join(node.folder, 'data', 'journal'),
        delivered: archive,
        json: true,
        output: { write: (text: string) => (report += text) },
      })
      assert.equal(status, 0, report)
      const { delivered } = JSON.parse(report) as {
        delivered: { compared: number; logFiles: number }
      }
      assert.equal(delivered.logFiles, listed.length)
      // The files of the other node are proved with its journal.
      assert.ok(delivered.compared > 0 && delivered.compared < listed.length, report)
    }
  },
)
