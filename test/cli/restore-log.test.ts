/** What the archive of a lost server says about the time after a backup, and where it ends too early. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { BackupHeader } from '../../src/backup/header.ts'
import { readLogAfter } from '../../src/cli/restore-log.ts'
import { testKeyring } from '../crypto/fixed.ts'
import { temporaryFolder } from '../start/serve-process.ts'

const header: BackupHeader = {
  salt: '',
  deploymentId: 'deployment',
  createdAt: 1,
  schema: 1,
  change: 100,
  keyVersion: 1,
  rows: 0,
  seals: [],
  domainKeys: [],
  streams: [],
}

const disabled = (change: number) => ({
  eventID: String(change),
  eventName: 'DisableKey',
  trent: { change },
})
const restored = (lastLogged: number, lastNumber: number) => ({
  eventID: 'r',
  eventName: 'RestoreBackup',
  serviceEventDetails: { lastLogged, lastNumber },
})

async function saidOf(t: TestContext, ...records: readonly object[]) {
  const dataDirectory = temporaryFolder(t)
  const archive = join(dataDirectory, 'archive')
  mkdirSync(archive)
  writeFileSync(join(archive, 'x.json.gz'), gzipSync(JSON.stringify({ Records: records })))
  const log = await readLogAfter(
    header,
    { delivered: [archive] },
    { dataDirectory, keyring: testKeyring() },
  )
  return { ...log, apply: log.apply.map(({ change }) => change) }
}

test('an archive that ends before the backup is no log of what followed', async (t) => {
  const tooEarly = ['the log ends at change 99, before the backup, which has change 100']
  for (const records of [[disabled(99)], [disabled(7), disabled(99)], [restored(50, 99)]]) {
    const { apply, refusals, last } = await saidOf(t, ...records)
    assert.deepEqual({ apply, refusals, last }, { apply: [], refusals: tooEarly, last: 100 })
  }
})

test('an archive that reaches the backup is believed as far as it goes', async (t) => {
  const { refusals, last } = await saidOf(t, disabled(100))
  assert.deepEqual({ refusals, last }, { refusals: [], last: 100 })
  const further = await saidOf(t, disabled(99), disabled(101))
  assert.deepEqual([further.refusals, further.last, further.apply], [[], 101, [101]])
  // The backup is of a restored server, which has changed nothing since.
  assert.deepEqual((await saidOf(t, restored(50, 100))).refusals, [])
  const gap = await saidOf(t, disabled(99), disabled(102))
  assert.deepEqual(gap.refusals, ['the log lacks 1 changes after the backup, up to change 102'])
})

test('an archive without any change says nothing', async (t) => {
  for (const records of [[], [{ eventID: '1', eventName: 'Decrypt' }]]) {
    const { refusals } = await saidOf(t, ...records)
    assert.match(refusals.join(), /^what was deleted or revoked after the backup would come back/)
  }
})
