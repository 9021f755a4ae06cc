/** Recovery of PostgreSQL to a point in time, as docs/operations/postgresql.md describes it. @module */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateGrantCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  ListGrantsCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { startArchived } from '../store/postgres/archived.ts'
import { installedPostgres } from '../store/postgres/postgres-binaries.ts'
import { skip, testedVersions } from '../store/postgres/shared-server.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { refusal } from '../start/refusal.ts'
import { end, freePort, serve, temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { clientsOf, decrypts, encrypted, failsWith, newKey, root } from './lost-server.ts'

const [version = 0] = testedVersions
const binaries = installedPostgres().find((each) => each.version === version)

interface Lost {
  readonly changes: readonly { readonly name: string; readonly effect: string }[]
}

test(
  'a database that is recovered to a point in time goes on without what is lost',
  { skip },
  async (t) => {
    assert.ok(binaries)
    const { server, takeBaseBackup, now, recoverTo } = await startArchived(t, binaries)
    await asSuperuser(server, 'postgres', 'CREATE DATABASE trent')
    const folder = temporaryFolder(t)
    const settingsAt = (port: number) => ({
      ...root,
      TRENT_SEAL: `file:${join(folder, 'seal.key')}`,
      TRENT_DATABASE_URL: `postgres://${server.superuser}:${server.password}@127.0.0.1:${port}/trent`,
    })
    const before = await serve(t, folder, settingsAt(server.port))
    const clients = clientsOf(t, before)
    const { kms } = clients
    const [kept, disabled, scheduled] = [
      await newKey(clients),
      await newKey(clients),
      await newKey(clients),
    ]
    const grantOf = async (): Promise<string> => {
      const GranteePrincipal = 'arn:aws:iam::000000000000:root'
      const input = { KeyId: kept, GranteePrincipal, Operations: ['Decrypt' as const] }
      return (await kms.send(new CreateGrantCommand(input))).GrantId ?? ''
    }
    const [granted, revoked] = [await grantOf(), await grantOf()]
    await takeBaseBackup()
    // What comes after the base backup is in the archived log only.
    const later = await newKey(clients)
    const [blob, ofDisabled, ofLater] = [
      await encrypted(clients, kept),
      await encrypted(clients, disabled),
      await encrypted(clients, later),
    ]
    await sleep(1100)
    const time = await now()
    await sleep(1100)
    const lost = await newKey(clients)
    await kms.send(new DisableKeyCommand({ KeyId: disabled }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: scheduled, PendingWindowInDays: 9 }))
    await kms.send(new RevokeGrantCommand({ KeyId: kept, GrantId: revoked }))
    await end(before, 'SIGKILL')

    const settings = settingsAt(await recoverTo(time))
    const command = (...parameters: string[]) =>
      trentEnded(t, parameters, { ...freePort(folder), ...settings }, folder)
    const refused = await refusal(t, folder, settings)
    assert.match(refused, /lacks/)
    assert.match(refused, /trent database accept-loss/)
    const shown = await command('database', 'accept-loss')
    assert.equal(shown.code, 1)
    assert.match(shown.stderr, /nothing is accepted, and nothing was changed/)
    await refusal(t, folder, settings)
    const done = await command('database', 'accept-loss', '--yes', '--json')
    assert.equal(done.code, 0, done.stderr)
    const told = JSON.parse(done.stdout) as Lost
    assert.deepEqual(
      told.changes.map(({ name, effect }) => [name, effect]),
      [
        ['CreateKey', 'given'],
        ['DisableKey', 'again'],
        ['ScheduleKeyDeletion', 'again'],
        ['RevokeGrant', 'again'],
      ],
    )
    const after = clientsOf(t, await serve(t, folder, settings))
    await decrypts(after, blob)
    await decrypts(after, ofLater)
    await failsWith(decrypts(after, ofDisabled), 'DisabledException')
    await failsWith(after.kms.send(new DescribeKeyCommand({ KeyId: lost })), 'NotFoundException')
    const { KeyMetadata } = await after.kms.send(new DescribeKeyCommand({ KeyId: scheduled }))
    assert.equal(KeyMetadata?.KeyState, 'PendingDeletion')
    const { Grants } = await after.kms.send(new ListGrantsCommand({ KeyId: kept }))
    assert.deepEqual(
      Grants?.map(({ GrantId }) => GrantId),
      [granted],
    )
    await decrypts(after, await encrypted(after, await newKey(after)))
    const whole = await command('verify-database')
    assert.equal(whole.code, 0, whole.stdout + whole.stderr)
  },
)
