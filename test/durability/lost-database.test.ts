/**
 * A database that goes back behind its journal: a lost or damaged write-ahead log, an older copy. The start
 * says what is missing, and goes on only after an operator's word. A crash alone is never told so.
 * @module
 */
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  AddUserToGroupCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteUserCommand,
  ListUsersCommand,
  RemoveUserFromGroupCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { refusal } from '../start/refusal.ts'
import { end, freePort, serve, trentEnded } from '../start/serve-process.ts'
import { accountId, clientOf, iamOf, region, settings } from './fixed-account.ts'
import {
  agree,
  killed,
  killedBeforeCheckpoint,
  lossOf,
  makeKeys,
  putBack,
} from './lost-database.ts'

const arnOf = (keyId: string): string => `arn:aws:kms:${region}:${accountId}:key/${keyId}`

function filesOf(data: string): Readonly<Record<string, string>> {
  const names = readdirSync(data, { recursive: true, encoding: 'utf8' }).toSorted()
  return Object.fromEntries(
    names.flatMap((name) => {
      const path = join(data, name)
      return statSync(path).isFile() ? [[name, readFileSync(path, 'base64').slice(-400)]] : []
    }),
  )
}

test('a database that lost its last keys is refused, by name, until an operator accepts it', async (t) => {
  const made = await killed(t, 12)
  const { folder, data, keyIds } = made
  const journal = join(data, 'journal')
  const verify = () => trentEnded(t, ['verify-log', journal, '--json'], {}, folder)
  const before = await verify()
  assert.equal(before.code, 0, before.stdout)
  putBack(made)
  const found = filesOf(data)

  const line = await refusal(t, folder, settings)
  const [first, second, third] = keyIds.map(arnOf)
  assert.match(line, /or go on without them by `trent database accept-loss`$/)
  assert.match(
    line,
    /trent\.db is behind the audit journal, it lacks 12 records of changes \d+ to \d+, naming 12 keys /,
  )
  assert.ok(
    line.includes(`(${first}, ${second}, ${third} and 9 more): put back trent.db-wal`),
    line,
  )
  assert.deepEqual(filesOf(data), found, 'a refused start changes nothing')

  const { code, stdout } = await verify()
  assert.equal(code, 1)
  const report = JSON.parse(stdout) as {
    readonly whole: boolean
    readonly missing: { readonly records: number; readonly keys: readonly string[] }
  }
  assert.deepEqual(
    [report.whole, report.missing.records, report.missing.keys],
    [false, 12, keyIds.map(arnOf)],
  )
  const listed = await lossOf(t, folder)
  assert.deepEqual([listed.code, listed.accepted, listed.changes.length], [1, false, 12])
  for (const [index, { name, resources, effect }] of listed.changes.entries()) {
    assert.deepEqual(
      [name, resources, effect],
      ['CreateKey', [arnOf(keyIds[index] ?? '')], 'given'],
    )
  }
  // Naming what is missing is no word.
  const own = { ...settings, ...freePort(folder) }
  const unsure = await trentEnded(t, ['database', 'accept-loss'], own, folder)
  assert.equal(unsure.code, 1)
  assert.match(unsure.stderr, /^trent: nothing is accepted, and nothing was changed: --yes/)
  assert.equal(await refusal(t, folder, settings), line)

  const accepted = await lossOf(t, folder, '--yes')
  assert.deepEqual([accepted.code, accepted.accepted], [0, true])
  const nothing = await trentEnded(t, ['database', 'accept-loss', '--yes'], own, folder)
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /the database holds every change in the logs that were read/)
  const server = await serve(t, folder, settings)
  const client = clientOf(server)
  await assert.rejects(client.send(new DescribeKeyCommand({ KeyId: keyIds[0] })), {
    name: 'NotFoundException',
  })
  client.destroy()
  await makeKeys(server, 1)
  await end(server, 'SIGKILL')
  const again = await serve(t, folder, settings)
  assert.deepEqual(await end(again, 'SIGTERM'), { code: 0, signal: null })
  const after = await verify()
  assert.equal(after.code, 0, after.stdout)

  const numbers: number[] = []
  const accepts: Record<string, unknown>[] = []
  await readRecords(journal, (text) => {
    const record = JSON.parse(text) as {
      readonly eventName: string
      readonly trent?: { readonly change?: number }
      readonly serviceEventDetails: Record<string, unknown>
    }
    if (record.trent?.change !== undefined) numbers.push(record.trent.change)
    if (record.eventName === 'AcceptDataLoss') accepts.push(record.serviceEventDetails)
  })
  assert.equal(new Set(numbers).size, numbers.length, 'no number is of two changes')
  assert.equal(accepts.length, 1)
  const { changes, missingRecords, acceptedBy } = accepts[0] ?? {}
  assert.deepEqual([changes, missingRecords], [listed.changes, 12])
  assert.equal(typeof acceptedBy, 'string')
})

test('what a lost change took away is taken away again, under numbers of its own', async (t) => {
  const made = await killed(t, 1)
  const { folder, data, keyIds } = made
  const [KeyId = ''] = keyIds
  // The key and the users are in the older copy, and what took them away is not.
  const first = await serve(t, folder, settings)
  const before = iamOf(first)
  const [alice, bob, admins] = [{ UserName: 'alice' }, { UserName: 'bob' }, { GroupName: 'admins' }]
  for (const user of [alice, { UserName: 'carol' }]) {
    await before.send(new CreateUserCommand(user))
  }
  await before.send(new CreateGroupCommand(admins))
  await before.send(new AddUserToGroupCommand({ ...alice, ...admins }))
  before.destroy()
  await end(first, 'SIGTERM')
  cpSync(join(data, 'trent.db'), join(folder, 'older.db'))
  const second = await serve(t, folder, settings)
  const client = clientOf(second)
  await client.send(new DisableKeyCommand({ KeyId }))
  const policy = { KeyId, PolicyName: 'default' }
  const { Policy } = await client.send(new GetKeyPolicyCommand(policy))
  await client.send(new PutKeyPolicyCommand({ ...policy, Policy }))
  // One change with two records.
  await client.send(new CreateKeyCommand({ MultiRegion: true }))
  client.destroy()
  const iam = iamOf(second)
  await iam.send(new UpdateUserCommand({ ...alice, NewUserName: bob.UserName }))
  await iam.send(new RemoveUserFromGroupCommand({ ...bob, ...admins }))
  await iam.send(new DeleteUserCommand({ UserName: 'carol' }))
  await iam.send(new CreateUserCommand({ UserName: 'later' }))
  await iam.send(new DeleteUserCommand({ UserName: 'later' }))
  iam.destroy()
  await end(second, 'SIGKILL')
  putBack(made)

  await agree(t, made)
  const { changes } = await lossOf(t, folder, '--yes')
  assert.deepEqual(
    changes.map(({ name, effect }) => [name, effect]),
    [
      ['DisableKey', 'again'],
      ['PutKeyPolicy', 'unknown'],
      ['CreateKey', 'given'],
      ['CreateServiceLinkedRole', 'given'],
      // The database knows bob as alice, so nothing was taken away from him.
      ['UpdateUser', 'unknown'],
      ['RemoveUserFromGroup', 'unknown'],
      ['DeleteUser', 'again'],
      ['CreateUser', 'given'],
      ['DeleteUser', 'given'],
    ],
  )
  const server = await serve(t, folder, settings)
  const again = clientOf(server)
  const { KeyMetadata } = await again.send(new DescribeKeyCommand({ KeyId }))
  assert.equal(KeyMetadata?.KeyState, 'Disabled')
  again.destroy()
  const after = iamOf(server)
  const { Users = [] } = await after.send(new ListUsersCommand({}))
  assert.deepEqual(
    Users.map(({ UserName }) => UserName),
    ['alice'],
  )
  after.destroy()
  await end(server, 'SIGTERM')
  const verified = await trentEnded(t, ['verify-log', join(data, 'journal')], {}, folder)
  assert.equal(verified.code, 0, verified.stdout)
  const database = await trentEnded(
    t,
    ['verify-database'],
    { ...settings, ...freePort(folder) },
    folder,
  )
  assert.equal(database.code, 0, database.stdout)
})

test('a log that is damaged, or cut short, loses no key in silence', async (t) => {
  const made = await killedBeforeCheckpoint(t, 12)
  const { folder, data } = made
  const path = join(data, 'trent.db-wal')
  const log = readFileSync(path)
  for (const spoil of [
    () => writeFileSync(path, log.subarray(0, log.length / 2)),
    () => writeFileSync(path, Buffer.concat([log.subarray(0, log.length / 2), Buffer.alloc(4096)])),
    () => {
      const changed = Buffer.from(log)
      changed[Math.floor(log.length / 2)] = (changed[Math.floor(log.length / 2)] ?? 0) ^ 1
      writeFileSync(path, changed)
    },
    () => rmSync(path),
  ]) {
    spoil()
    const found = filesOf(data)
    const line = await refusal(t, folder, settings)
    assert.match(line, /it lacks \d+ records? of changes? \d+.*, naming \d+ keys? \(arn:/)
    assert.deepEqual(filesOf(data), found, 'what is left of the log stays')
  }
  // The log put back, nothing is missing.
  writeFileSync(path, log)
  const server = await serve(t, folder, settings)
  assert.deepEqual(await end(server, 'SIGTERM'), { code: 0, signal: null })
})

test('a stream of another worker shows what is missing as well', async (t) => {
  const made = await killed(t, 1, { TRENT_WORKERS: '2' })
  const { folder, data } = made
  putBack(made)
  // The key's record is in either stream: a start with fewer workers looks at both.
  assert.match(
    await refusal(t, folder, settings),
    /it lacks 1 record of change \d+, naming 1 key \(arn:/,
  )
  assert.ok(existsSync(join(data, 'journal', 'worker-1')))
})
