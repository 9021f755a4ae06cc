/** Scheduled backups: when they are taken, what is kept, and what a failure leaves. @module */
import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createBackups } from '../../src/backup/backups.ts'
import { readBackup } from '../../src/backup/format.ts'
import type { ScheduleDependencies } from '../../src/backup/scheduled-backups.ts'
import { openBackup } from '../../src/backup/take.ts'
import { verifyRows } from '../../src/backup/verify.ts'
import { nodeFiles, piecesOf, type FilePort } from '../../src/disk/files.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { engines, temporaryFolder } from '../store/engines.ts'
import { newKey } from '../store/records.ts'
import { takeLease } from '../../src/store/tables/leases.ts'
import { keyring, prepared } from './prepared.ts'
import { begin, hourMs, opened, scheduled, writingBy } from './scheduled.ts'

for (const engine of engines) {
  test(`a backup is taken at once, and then each hour, also by another process (${engine.name})`, async (t) => {
    const one = await opened(t, {}, 50, engine)
    assert.equal(one.figures().last, undefined)
    await one.after(0)
    await one.after(hourMs - 1)
    assert.equal(one.names().length, 1)
    assert.partialDeepStrictEqual(one.figures(), { ageMs: hourMs - 1, kept: 1, failures: 0 })
    const [name = ''] = one.names()
    assert.match(name, /^trent-deployment-20261130T100000Z-2\.backup$/)
    const { mode, size } = statSync(join(one.directory, name))
    assert.deepEqual([mode & 0o777, size], [0o600, one.figures().last?.bytes])
    const reader = await readBackup(piecesOf(nodeFiles, join(one.directory, name)))
    const { rows, forgedCount } = await verifyRows(reader, keyring)
    assert.deepEqual([one.taken, forgedCount], [[{ name, rows }], 0])

    const two = await one.restarted()
    await two.after(0)
    assert.deepEqual([two.names(), two.figures().last?.name], [[name], name])
    await two.after(1)
    assert.equal(two.names().length, 2)
    assert.equal(two.figures().ageMs, 0)
  })
}

test('the newest ones are kept, and files that are not of this schedule', async (t) => {
  const one = await opened(t)
  await one.after(0)
  const [first = ''] = one.names()
  const path = (name: string): string => join(one.directory, name)
  // Older than all others by their names.
  const older = (hour: number): string => first.replace('T10', `T0${hour}`)
  copyFileSync(path(first), path('mine.backup'))
  copyFileSync(path(first), path(older(1))) // its header is of another time
  writeFileSync(path(older(2)), 'not a backup')
  mkdirSync(path(older(3)))
  symlinkSync(path('mine.backup'), path(older(4)))
  copyFileSync(path(first), path(first.replace('deployment', 'another')))
  symlinkSync(path('nowhere'), path(older(5)))
  const strange = one.names().filter((name) => name !== first)
  for (let hour = 0; hour < 5; hour += 1) await one.after(hourMs)
  assert.deepEqual(one.errors, [])
  const left = one.names().filter((name) => !strange.includes(name))
  assert.equal(one.names().length, strange.length + 3)
  assert.deepEqual(
    left.map((name) => /T(\d\d)/.exec(name)?.[1]),
    ['13', '14', '15'],
  )
  assert.equal(one.figures().kept, 3)
})

test('a backup that does not open again is not kept, and the others stay', async (t) => {
  let isDamaging = false
  const files = writingBy((file) => (bytes, position) => {
    const damaged = Buffer.from(bytes)
    if (isDamaging)
      damaged.writeUInt8(damaged.readUInt8(damaged.length >> 1) ^ 1, damaged.length >> 1)
    return file.write(damaged, position)
  })
  const settings = { directory: temporaryFolder(t), intervalMs: hourMs, keep: 1 }
  const one = await opened(t, { files, settings })
  const names = (): string[] => readdirSync(settings.directory)
  await one.after(0)
  const before = names()
  isDamaging = true
  await one.after(hourMs)
  assert.deepEqual(names(), before)
  assert.match(String(one.errors[0]), /the backup is damaged: /)
  assert.partialDeepStrictEqual(one.figures(), { failures: 1, kept: 1, ageMs: hourMs })
  assert.match(one.figures().failure ?? '', /^the backup is damaged: /)
  // It is not tried again each second.
  await one.after(4 * 60_000)
  assert.equal(one.errors.length, 1)
  isDamaging = false
  await one.after(60_000)
  assert.equal(names().length, 1)
  assert.notDeepEqual(names(), before)
  assert.partialDeepStrictEqual(one.figures(), { failures: 0, failure: undefined, ageMs: 0 })
})

test('a full disk leaves the old backups, and room for the journal', async (t) => {
  let [free, isFull] = [2 ** 40, false]
  const files: FilePort = {
    ...writingBy((file) => (bytes, position) => {
      const error = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      return isFull && position > 0 ? Promise.reject(error) : file.write(bytes, position)
    }),
    freeBytes: () => Promise.resolve(free),
  }
  const one = await opened(t, { files })
  await one.after(0)
  const before = one.names()
  free = 256 * 2 ** 20 + 1000
  await one.after(hourMs)
  assert.match(one.figures().failure ?? '', /^no room for a backup in /)
  free = 2 ** 40
  isFull = true
  await one.after(hourMs)
  assert.match(one.figures().failure ?? '', /: ENOSPC$/)
  assert.deepEqual([one.names(), one.figures().failures], [before, 2])
  isFull = false
  await one.after(hourMs)
  assert.deepEqual([one.names().length, one.figures().failures], [2, 0])
})

test('what a killed process left is removed, and not what another node is writing', async (t) => {
  const one = await opened(t)
  await one.after(0)
  const [first = ''] = one.names()
  const own = `${first}.one.next`
  const others = `${first}.two.next`
  const old = `${first.replace('20261130', '20261128')}.two.next`
  for (const name of [own, others, old]) writeFileSync(join(one.directory, name), 'unfinished')
  assert.equal(one.figures().kept, 1)
  await one.after(hourMs)
  assert.deepEqual(
    one.names().filter((name) => name.endsWith('.next')),
    [others],
  )
})

test('a backup from the future does not hold up the next ones, and a cut one does not count', async (t) => {
  const one = await opened(t)
  await one.after(1000 * hourMs)
  const [future = ''] = one.names()
  await one.after(-1000 * hourMs)
  assert.equal(one.names().length, 2)
  const [now = ''] = one.names().filter((name) => name !== future)
  assert.equal(one.figures().last?.name, now)
  await one.after(1)
  assert.equal(one.names().length, 2)
  truncateSync(join(one.directory, now), 20)
  const two = await one.restarted()
  await two.after(2000)
  assert.equal(two.names().length, 3)
})

test('backups of a clock that was ahead do not take the places of later ones', async (t) => {
  const one = await opened(t)
  const store = createStore(one.database, keyring, { onForgedRow: assert.fail })
  await one.after(1000 * hourMs)
  await one.after(hourMs)
  await one.after(hourMs)
  const ahead = one.names()
  assert.equal(ahead.length, 3)
  await one.after(-1002 * hourMs)
  for (let hour = 0; hour < 3; hour += 1) {
    await store.change((transaction) => transaction.insertKey(newKey(`later-${hour}`)))
    await one.after(hourMs)
  }
  assert.deepEqual(one.errors, [])
  assert.equal(one.names().length, 3)
  assert.deepEqual(
    one.names().filter((name) => ahead.includes(name)),
    [],
  )
})

test('nothing is written where every user could delete it, until that is corrected', async (t) => {
  const one = await opened(t)
  chmodSync(one.directory, 0o777)
  await one.after(0)
  assert.equal(
    one.figures().failure,
    `TRENT_BACKUP_DIR: every user may write to ${one.directory}: chmod 700 it`,
  )
  assert.deepEqual([one.names(), one.figures().failures], [[], 1])
  chmodSync(one.directory, 0o770)
  await one.after(5 * 60_000)
  assert.deepEqual([one.names().length, one.figures().failures], [1, 0])
})

test('a directory that is not there is told in one line, and is not made', async (t) => {
  const one = await opened(t)
  rmSync(one.directory, { recursive: true })
  await one.after(0)
  assert.equal(one.figures().failure, `${one.directory} is missing, or is not mounted`)
  assert.throws(() => one.names(), /ENOENT/)
  mkdirSync(one.directory)
  await one.after(5 * 60_000)
  assert.deepEqual([one.names().length, one.figures().failures], [1, 0])
})

test('of two nodes with one directory, one takes each backup', async (t) => {
  const directory = temporaryFolder(t)
  const settings = { directory, intervalMs: hourMs, keep: 10 }
  const one = await opened(t, { settings, mayTake: () => Promise.resolve(false) })
  const byLease = (holder: string): Partial<ScheduleDependencies> => ({
    holder,
    mayTake: () =>
      takeLease(one.database.query, { name: 'take a scheduled backup', holder }, begin, 1000),
  })
  const [first, second] = [one.another(byLease('first')), one.another(byLease('second'))]
  await Promise.all([first.after(0), second.after(0)])
  assert.equal(readdirSync(directory).length, 1)
  assert.equal(first.taken.length + second.taken.length, 1)
  assert.deepEqual([...first.errors, ...second.errors], [])
})

test('an operator’s backup goes first, and the schedule comes after it', async (t) => {
  const [engine] = engines
  assert.ok(engine)
  const { database } = await engine.open(t)
  const { source } = await prepared(database, 10)
  const backups = createBackups({ ...source, clock: { now: () => begin } })
  const one = scheduled(t, temporaryFolder(t), source, { backups })
  await backups.begin()
  await one.after(0)
  assert.deepEqual([one.names(), one.figures().failures], [[], 0])
  await backups.close()
  await one.after(5 * 60_000)
  assert.equal(one.names().length, 1)
})

test('a stop in the middle leaves nothing unfinished', async (t) => {
  let stopping: Promise<void> | undefined
  const files = writingBy((file) => (bytes, position) => {
    if (position > 0) stopping ??= one.schedule.close()
    return file.write(bytes, position)
  })
  const one = await opened(t, { files }, 3000)
  await one.after(0)
  await stopping
  assert.ok(stopping)
  assert.deepEqual([one.names(), one.errors], [[], []])
})

test('a backup that was renamed by hand is no longer of this schedule', async (t) => {
  const one = await opened(t)
  await one.after(0)
  const [name = ''] = one.names()
  renameSync(join(one.directory, name), join(one.directory, 'kept-for-good'))
  const two = await one.restarted()
  await two.after(0)
  assert.equal(one.names().length, 2)
  for (let hour = 0; hour < 4; hour += 1) await two.after(hourMs)
  assert.ok(one.names().includes('kept-for-good'))
  assert.ok(readFileSync(join(one.directory, 'kept-for-good')).length > 0)
})

test('a snapshot is closed when its backup cannot be written', async (t) => {
  const one = await opened(t, {
    files: writingBy(() => () => Promise.reject(new Error('the disk is gone'))),
  })
  await one.after(0)
  assert.match(one.figures().failure ?? '', /the disk is gone/)
  // The copy of an embedded database has one name: a second snapshot shows that the first is closed.
  const { close } = await openBackup({
    database: one.database,
    keyring,
    clock: { now: () => 5 },
    random: { bytes: (length) => new Uint8Array(length), uuid: () => 'none' },
  })
  await close()
})
