/** Digests of hours in which the server was stopped. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance } from '../../compat/test-clock.ts'
import { clockIsCompared as skip, startTestServer } from '../../harness.ts'
import {
  assertNoErrors,
  assertVerified,
  filesBelow,
  isDigest,
  isLog,
  jsonOf,
  startDelivering,
  traffic,
} from './delivered.ts'

interface Digest {
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly logFiles: readonly { readonly s3Object: string }[]
}

/** In order: how many hours each digest covers, and how many files it names. */
async function digestsOf(archive: string): Promise<readonly (readonly [number, number])[]> {
  const names = (await filesBelow(archive)).filter(isDigest)
  const digests = await Promise.all(names.map((name) => jsonOf<Digest>(archive, name)))
  for (const [index, { digestStartTime }] of digests.entries()) {
    if (index > 0) assert.equal(digestStartTime, digests[index - 1]?.digestEndTime)
  }
  return digests.map(({ digestStartTime, digestEndTime, logFiles }) => [
    (Date.parse(digestEndTime) - Date.parse(digestStartTime)) / 3_600_000,
    logFiles.length,
  ])
}

test(
  'a server that was stopped for hours has a digest for each of them, with that hour’s files',
  { skip },
  async (t) => {
    const { server, archive } = await startDelivering(t)
    await traffic(server, 2)
    await advance(server.url, '6m')
    const [only] = (await filesBelow(archive)).filter(isLog)
    assert.ok(only !== undefined)
    await server.stop('keep')
    const time = { system: () => Date.now() + 6 * 3_600_000, monotonic: () => performance.now() }
    const again = await startTestServer(
      { TRENT_TEST_API: 'on', TRENT_AUDIT_DIR: archive },
      { directory: server.directory, time },
    )
    t.after(() => again.stop('keep'))
    await advance(again.url, '1s')
    const digests = await digestsOf(archive)
    // Six hours pass. The first hour counts if it had a file, and the last one if it has ended.
    assert.ok(digests.length >= 5 && digests.length <= 7, `${digests.length} digests`)
    assert.ok(digests.every(([hours]) => hours === 1))
    const [first] = (await filesBelow(archive)).filter(isDigest)
    const { logFiles } = await jsonOf<Digest>(archive, first ?? '')
    assert.ok(logFiles.some(({ s3Object }) => s3Object === only))
    assertNoErrors(again)
    await assertVerified(again, archive)
  },
)

test('a gap of days has a digest for its hour with files, and one for the rest', async (t) => {
  const { server, archive } = await startDelivering(t)
  await traffic(server, 2)
  await advance(server.url, '6m')
  await advance(server.url, '40d')
  const digests = await digestsOf(archive)
  const [rest, ...before] = digests.toReversed()
  assert.ok(before.length > 0 && before.every(([hours, files]) => hours === 1 && files > 0))
  assert.ok(rest !== undefined && rest[0] > 900 && rest[1] === 0)
  assertNoErrors(server)
  await assertVerified(server, archive)
})
