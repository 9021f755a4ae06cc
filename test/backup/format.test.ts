/** The format of backups: every damage is found, and stored backups open for ever. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  BackupRefused,
  createBackupWriter,
  createFrameOpener,
  frameKinds,
  readBackup,
} from '../../src/backup/format.ts'
import type { BackupHeader } from '../../src/backup/header.ts'
import { checkStructure, verifyRows } from '../../src/backup/verify.ts'
import { openKeyring } from '../../src/cli/open-backup.ts'
import type { Keyring } from '../../src/crypto/keyring.ts'
import { flipped, realRandom, testKeyring } from '../crypto/fixed.ts'
import { temporaryFolder } from '../store/engines.ts'

const keyring = testKeyring()

function headerOf(members: Partial<BackupHeader> = {}): BackupHeader {
  return {
    salt: Buffer.from(realRandom.bytes(32)).toString('base64'),
    deploymentId: 'deployment',
    createdAt: 1_700_000_000_000,
    schema: 1,
    change: 7,
    keyVersion: 1,
    rows: 2,
    seals: [{ role: 'current', kind: 'file', record: 'AAAA' }],
    domainKeys: [{ version: 1, wrapped: 'AAAA' }],
    streams: [],
    ...members,
  }
}

interface Made {
  readonly head: Buffer
  readonly frames: readonly Buffer[]
  readonly end: Buffer
  readonly check: Buffer
}

/** A backup with one service's row in each of two frames. */
function made(header = headerOf()): Made {
  const writer = createBackupWriter(header, keyring)
  const rows = (name: string): Buffer =>
    Buffer.from(JSON.stringify({ table: 'services', columns: ['name'], rows: [[name]] }))
  const frames = [writer.frame('rows', rows('a')), writer.frame('rows', rows('b'))]
  const end = writer.frame('end', Buffer.from('{"rows":{"services":2}}'))
  return { head: writer.head, frames, end, check: writer.check() }
}

function joined({ head, frames, end, check }: Made): Buffer {
  return Buffer.concat([head, ...frames, end, check])
}

/** Arrives in pieces of a few bytes. */
async function* piecesOf(bytes: Buffer, size = 100): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function verify(bytes: Buffer, by: Keyring = keyring): Promise<number> {
  const { rows } = await verifyRows(await readBackup(piecesOf(bytes)), by)
  return rows
}

const refused = (bytes: Buffer, by?: Keyring): Promise<void> =>
  assert.rejects(verify(bytes, by), (error) => {
    assert.ok(error instanceof BackupRefused, String(error))
    assert.match(error.message, /^[^\n]+$/)
    return true
  })

/** The check again, as anybody can compute it. */
async function withCheck(parts: readonly Buffer[]): Promise<Buffer> {
  const { createHash } = await import('node:crypto')
  const bytes = Buffer.concat(parts)
  const head = Buffer.from([frameKinds.check, 0, 0, 0, 32])
  return Buffer.concat([bytes, head, createHash('sha256').update(bytes).digest()])
}

test('a whole backup has all its rows, in pieces of any size', async () => {
  const bytes = joined(made())
  for (const size of [1, 7, 4096]) {
    const reader = await readBackup(piecesOf(bytes, size))
    assert.equal((await verifyRows(reader, keyring)).rows, 2)
  }
  await checkStructure(await readBackup(piecesOf(bytes)))
})

test('a flipped bit anywhere is found, without the seal too', async () => {
  const bytes = joined(made())
  for (let at = 0; at < bytes.length; at += 1) {
    const wrong = flipped(bytes, at)
    await refused(wrong)
    const structure = readBackup(piecesOf(wrong)).then(checkStructure)
    await assert.rejects(structure, BackupRefused, `byte ${at}`)
  }
})

test('a backup that was cut anywhere is refused', async () => {
  const bytes = joined(made())
  for (let length = 0; length < bytes.length; length += 1) await refused(bytes.subarray(0, length))
  await refused(Buffer.concat([bytes, Buffer.of(0)]))
  await refused(Buffer.concat([bytes, bytes]))
})

test('frames that were left out, moved, repeated or mixed are found', async () => {
  const one = made()
  const other = made()
  const { head, end } = one
  const [first = head, second = head] = one.frames
  const [foreign = head] = other.frames
  for (const frames of [
    [second, first, end],
    [first, end],
    [first, first, end],
    [first, second],
    [first, second, end, second],
    [foreign, second, end],
    [first, second, other.end],
    [end],
  ]) {
    await refused(await withCheck([head, ...frames]))
  }
  // The same frames in their order are the backup.
  assert.equal(await verify(await withCheck([head, first, second, end])), 2)
})

test('frames do not open under another header, another key or another deployment', async () => {
  const one = made()
  const other = createBackupWriter(headerOf({ change: 8 }), keyring).head
  await refused(await withCheck([other, ...one.frames, one.end]))
  await refused(joined(one), testKeyring())
  const foreign = made(headerOf({ deploymentId: 'another' }))
  await assert.rejects(verify(joined(foreign)), /of another deployment/)
  const unknown = createBackupWriter(headerOf({ keyVersion: 1 }), keyring).head
  const renamed = Buffer.from(unknown.toString().replace('"keyVersion":1', '"keyVersion":9'))
  await refused(await withCheck([renamed, ...one.frames, one.end]))
})

test('what is not a backup, or of a later version, is refused by name', async () => {
  await assert.rejects(verify(Buffer.from('SQLite format 3')), /not a backup of Trent/)
  await assert.rejects(verify(Buffer.alloc(0)), /not a backup of Trent/)
  const later = joined(made())
  later.write('2', 7)
  await assert.rejects(verify(later), /later version/)
  const long = joined(made())
  long.writeUInt32BE(2 ** 31, 8)
  await assert.rejects(verify(long), /its header is too long/)
  const [domainKey = { version: 1, wrapped: '' }] = headerOf().domainKeys
  const wrong = [
    { rows: -1 },
    { createdAt: Number.MAX_SAFE_INTEGER },
    { domainKeys: [] },
    { domainKeys: [domainKey, domainKey] },
    { domainKeys: [{ ...domainKey, version: -1 }] },
    { domainKeys: [{ ...domainKey, version: 2 ** 32 }] },
  ].map((members) => JSON.stringify(headerOf(members)))
  for (const header of ['[]', '{}', '{', '{"salt":1}', ...wrong]) {
    const head = Buffer.from(`TRENTBK1\0\0\0\0${header}`)
    head.writeUInt32BE(header.length, 8)
    await assert.rejects(verify(head), /its header cannot be read/, header)
  }
})

test('a frame of one backup opens once, in its place', async () => {
  const reader = await readBackup(piecesOf(joined(made())))
  const opener = createFrameOpener(reader, keyring)
  const { value } = await reader.frames().next()
  assert.ok(value)
  opener.open(value)
  assert.throws(() => opener.open(value), BackupRefused)
})

test('a stored backup opens with its key file', async (t) => {
  const path = join(import.meta.dirname, '../vectors/backup.json')
  const { keyFile, backup } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly keyFile: string
    readonly backup: string
  }
  const sealKey = join(temporaryFolder(t), 'seal.key')
  writeFileSync(sealKey, Buffer.from(keyFile, 'base64'), { mode: 0o600 })
  const reader = await readBackup(piecesOf(Buffer.from(backup, 'base64')))
  const stored = await openKeyring(reader, { sealKey }, () => assert.fail('no settings'))
  const { rows, genuine, forgedCount } = await verifyRows(reader, stored)
  assert.deepEqual({ rows, genuine, forgedCount }, { rows: 11, genuine: 7, forgedCount: 0 })
})
