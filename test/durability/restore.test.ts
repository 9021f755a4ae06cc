/**
 * The drill, step by step: a machine is lost, and another one goes on from a backup and the log.
 * `restored-under-load.test.ts` is the drill under load.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DeleteAliasCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  ListAliasesCommand,
  ListGrantsCommand,
  RevokeGrantCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { importing } from '../compat/importing.ts'
import { testedVersions } from '../store/postgres/shared-server.ts'
import {
  end,
  freePort,
  serve,
  temporaryFolder,
  trentEnded,
  type Settings,
} from '../start/serve-process.ts'
import {
  clientsOf,
  decrypts,
  encrypted,
  failsWith,
  newKey,
  settingsFor,
  type Credentials,
  type Engine,
} from './lost-server.ts'

async function drill(t: TestContext, from: Engine, to: Engine): Promise<void> {
  const here = temporaryFolder(t)
  const seal = join(here, 'seal.key')
  const settings = await settingsFor(t, from, seal)
  const lost = await serve(t, here, settings)
  const clients = clientsOf(t, lost)
  const { kms, iam, sts } = clients

  const keptKey = await newKey(clients)
  const disabled = await newKey(clients)
  const switched = await newKey(clients)
  const scheduled = await newKey(clients)
  const kept = await encrypted(clients, keptKey)
  const ofDisabled = await encrypted(clients, disabled)
  const ofSwitched = await encrypted(clients, switched)
  const imports = importing(kms)
  const imported = await imports.makeExternal()
  await imports.send(imported, Buffer.alloc(32, 5), await imports.parameters(imported))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/gone', TargetKeyId: keptKey }))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/kept', TargetKeyId: keptKey }))
  const { User } = await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const grantOf = async (): Promise<string> => {
    const { GrantId } = await kms.send(
      new CreateGrantCommand({
        KeyId: keptKey,
        GranteePrincipal: User?.Arn,
        Operations: ['Decrypt'],
      }),
    )
    return GrantId ?? ''
  }
  const revoked = await grantOf()
  const granted = await grantOf()
  const keyOf = async (): Promise<Credentials> => {
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
    return {
      accessKeyId: AccessKey?.AccessKeyId ?? '',
      secretAccessKey: AccessKey?.SecretAccessKey ?? '',
    }
  }
  const deletedKey = await keyOf()
  const inactiveKey = await keyOf()
  const { Credentials: session } = await sts.send(new GetSessionTokenCommand({}))

  const command = (...parameters: string[]) =>
    trentEnded(t, parameters, { ...freePort(here), ...settings }, here)
  const taken = await command('backup', 'backup', '--json')
  assert.equal(taken.code, 0, taken.stderr)
  const { change } = JSON.parse(taken.stdout) as { readonly change: number }

  // Everything from here on is in the log only.
  const madeLater = await newKey(clients)
  await kms.send(new DisableKeyCommand({ KeyId: disabled }))
  await kms.send(new DisableKeyCommand({ KeyId: switched }))
  await kms.send(new EnableKeyCommand({ KeyId: switched }))
  const { DeletionDate } = await kms.send(
    new ScheduleKeyDeletionCommand({ KeyId: scheduled, PendingWindowInDays: 9 }),
  )
  await kms.send(new RevokeGrantCommand({ KeyId: keptKey, GrantId: revoked }))
  await kms.send(new DeleteAliasCommand({ AliasName: 'alias/gone' }))
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: imported }))
  const of = { UserName: 'alice' }
  await iam.send(new DeleteAccessKeyCommand({ ...of, AccessKeyId: deletedKey.accessKeyId }))
  const off = { ...of, AccessKeyId: inactiveKey.accessKeyId, Status: 'Inactive' } as const
  await iam.send(new UpdateAccessKeyCommand(off))
  await end(lost, 'SIGKILL')

  // Another machine has the backup, the key file and what is left of the journal.
  const there = temporaryFolder(t)
  const settingsThere = await settingsFor(t, to, seal)
  const restore = (...parameters: string[]) =>
    trentEnded(
      t,
      ['restore', join(here, 'backup'), ...parameters],
      { ...freePort(there), ...settingsThere },
      there,
    )
  const journal = join(here, 'data', 'journal')
  const unlogged = await restore()
  assert.deepEqual([unlogged.code, unlogged.stdout], [1, ''])
  assert.match(
    unlogged.stderr,
    /^trent: what was deleted or revoked [^\n]+ --accept-resurrection\n$/,
  )
  assert.equal(existsSync(join(there, 'data', 'trent.db')), false)

  const restored = await restore('--journal', journal, '--json')
  assert.equal(restored.code, 0, restored.stderr)
  const told = JSON.parse(restored.stdout) as { takenAway: number; lastLogged: number }
  assert.ok(told.lastLogged >= change + 10)
  const again = await restore('--journal', journal)
  assert.match(again.stderr, /^trent: [^\n]+ holds a deployment: [^\n]+\n$/)

  const next = await serve(t, there, settingsThere)
  const after = clientsOf(t, next)
  const stateOf = async (KeyId: string) =>
    (await after.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata
  await decrypts(after, kept)
  await decrypts(after, ofSwitched)
  await failsWith(decrypts(after, ofDisabled), 'DisabledException')
  const pending = await stateOf(scheduled)
  assert.equal(pending?.KeyState, 'PendingDeletion')
  const apart = Math.abs(Number(pending?.DeletionDate) - Number(DeletionDate))
  assert.ok(apart < 1000, `${apart} ms`)
  assert.equal((await stateOf(imported))?.KeyState, 'PendingImport')
  await failsWith(after.kms.send(new DescribeKeyCommand({ KeyId: madeLater })), 'NotFoundException')
  const { Grants } = await after.kms.send(new ListGrantsCommand({ KeyId: keptKey }))
  assert.deepEqual(
    Grants?.map(({ GrantId }) => GrantId),
    [granted],
  )
  const { Aliases } = await after.kms.send(new ListAliasesCommand({ KeyId: keptKey }))
  assert.deepEqual(
    Aliases?.map(({ AliasName }) => AliasName),
    ['alias/kept'],
  )
  const list = new ListAliasesCommand({})
  for (const credentials of [
    deletedKey,
    inactiveKey,
    {
      accessKeyId: session?.AccessKeyId ?? '',
      secretAccessKey: session?.SecretAccessKey ?? '',
      sessionToken: session?.SessionToken ?? '',
    },
  ]) {
    await failsWith(clientsOf(t, next, credentials).kms.send(list), 'UnrecognizedClientException')
  }
  // New sessions count, and the server goes on.
  const { Credentials: fresh } = await after.sts.send(new GetSessionTokenCommand({}))
  await clientsOf(t, next, {
    accessKeyId: fresh?.AccessKeyId ?? '',
    secretAccessKey: fresh?.SecretAccessKey ?? '',
    sessionToken: fresh?.SessionToken ?? '',
  }).kms.send(list)
  await decrypts(after, await encrypted(after, await newKey(after)))
  assert.equal((await end(next, 'SIGTERM')).code, 0)
  const journalThere = readJournal(join(there, 'data', 'journal'))
  assert.match(journalThere, /"eventName":"RestoreBackup"/)
  const verified = (...parameters: string[]) =>
    trentEnded(t, parameters, { ...freePort(there), ...settingsThere }, there)
  const log = await verified('verify-log', '--json')
  assert.equal(log.code, 0, log.stdout + log.stderr)
  if (to === 'sqlite') {
    const whole = await verified('verify-database')
    assert.equal(whole.code, 0, whole.stdout)
  }
  await lostAgain(t, { settings: await settingsFor(t, to, seal), backup: join(here, 'backup') }, [
    journal,
    join(there, 'data', 'journal'),
  ])
}

/** The second machine is lost too, and there is no newer backup: the log goes on in its journal. */
async function lostAgain(
  t: TestContext,
  { settings, backup }: { readonly settings: Settings; readonly backup: string },
  [first, second]: readonly [first: string, second: string],
): Promise<void> {
  const third = temporaryFolder(t)
  const restore = (...parameters: string[]) =>
    trentEnded(t, ['restore', backup, ...parameters], { ...freePort(third), ...settings }, third)
  const alone = await restore('--journal', second)
  assert.match(alone.stderr, /^trent: [^\n]*the log lacks \d+ changes [^\n]+\n$/)
  const both = await restore('--journal', first, '--journal', second)
  assert.equal(both.code, 0, both.stderr)
}

const crossings: readonly (readonly [Engine, Engine])[] = [
  ['sqlite', 'sqlite'],
  ['postgresql', 'postgresql'],
  ['sqlite', 'postgresql'],
  ['postgresql', 'sqlite'],
]

for (const [from, to] of crossings) {
  const needsPostgres = from === 'postgresql' || to === 'postgresql'
  const skip = needsPostgres && testedVersions.length === 0 && 'there is no PostgreSQL here'
  test(`a lost machine on ${from} goes on elsewhere on ${to}`, { skip }, (t) => drill(t, from, to))
}

function readJournal(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.seg'))
    .map((name) => readFileSync(join(directory, name), 'latin1'))
    .join('')
}
