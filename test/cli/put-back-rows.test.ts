/** Rows that were put back, by the log of changes: `trent verify-database` finds them. @module */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DisableKeyCommand,
  ListKeysCommand,
  RevokeGrantCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { accountId, credentials, startTestServer } from '../harness.ts'
import { verify } from './verified.ts'

/** A database, what it was before its last changes, and the ids of what changed. */
async function putBack(
  t: TestContext,
): Promise<{ readonly folder: string; readonly earlier: string }> {
  const server = await startTestServer()
  const kms = server.client()
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  const { KeyMetadata: { KeyId } = {} } = await kms.send(new CreateKeyCommand({}))
  const { KeyMetadata: other } = await kms.send(new CreateKeyCommand({}))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/moved', TargetKeyId: KeyId }))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/gone', TargetKeyId: KeyId }))
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  const Operations = ['Encrypt' as const]
  const { GrantId } = await kms.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal, Operations }),
  )
  const UserName = 'u'
  await iam.send(new CreateUserCommand({ UserName }))
  const { AccessKey: { AccessKeyId } = {} } = await iam.send(
    new CreateAccessKeyCommand({ UserName }),
  )
  const PolicyName = 'p'
  const PolicyDocument =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName, PolicyDocument }))
  const earlier = copyOf(t, server.directory)
  await kms.send(new DisableKeyCommand({ KeyId }))
  await kms.send(new UpdateAliasCommand({ AliasName: 'alias/moved', TargetKeyId: other?.KeyId }))
  await kms.send(new DeleteAliasCommand({ AliasName: 'alias/gone' }))
  await kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
  await iam.send(new DeleteUserPolicyCommand({ UserName, PolicyName }))
  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: 'Inactive' }))
  iam.destroy()
  await server.stop('keep')
  t.after(() => rmSync(server.directory, { recursive: true, force: true }))
  return { folder: copyOf(t, server.directory), earlier }
}

function copyOf(t: TestContext, directory: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'trent-verify-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['trent.db', 'trent.db-wal', 'seal.key']) {
    if (existsSync(join(directory, name))) cpSync(join(directory, name), join(folder, name))
  }
  return folder
}

function edit(folder: string, ...statements: readonly string[]): void {
  const options = { defensive: false, enableForeignKeyConstraints: false }
  const file = new DatabaseSync(join(folder, 'trent.db'), options)
  for (const statement of statements) file.exec(statement)
  file.close()
}

test('rows that were put back to what they said before are found, and so are holes in the log', async (t) => {
  const { folder, earlier } = await putBack(t)
  const whole = await verify(folder)
  assert.equal(whole.status, 0, whole.text)
  const attach = `ATTACH '${join(earlier, 'trent.db')}' AS old`
  const again = (table: string, where = 'true'): string =>
    `INSERT OR REPLACE INTO ${table} SELECT * FROM old.${table} WHERE ${where}`
  const cases: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    ['a key', [again('keys')], 'keys', /put back/],
    ['an alias', [again('aliases', "name = 'alias/moved'")], 'aliases', /put back/],
    ['a deleted alias', [again('aliases', "name = 'alias/gone'")], 'aliases', /deleted/],
    ['a revoked grant', [again('grants')], 'grants', /deleted/],
    ['a user', [again('users')], 'users', /put back/],
    ['an access key', [again('access_keys')], 'access_keys', /put back/],
    [
      'a row less',
      ['DELETE FROM grants', 'DELETE FROM aliases'],
      'aliases',
      /no change has deleted it/,
    ],
    [
      'a log put back',
      ['DELETE FROM change_log', again('change_log'), again('change_head')],
      'keys',
      /put back/,
    ],
    ['a hole', ['DELETE FROM change_log WHERE seq = 4'], 'change_log', /does not exist/],
    ['a beginning', ['DELETE FROM change_log WHERE seq < 6'], 'change_log', /does not exist/],
    ['no log', ['DELETE FROM change_log'], 'change_log', /does not exist/],
    [
      'an entry of another version',
      ['UPDATE change_log SET row_version = 1 WHERE row_version = 2'],
      'change_log',
      /tag is wrong/,
    ],
    [
      'an entry in another place',
      ['UPDATE change_log SET seq = seq + 1000 WHERE seq > 3', 'UPDATE change_head SET seq = 2000'],
      'change_log',
      /tag is wrong/,
    ],
  ]
  for (const [what, statements, table, why] of cases) {
    const spoilt = copyOf(t, folder)
    edit(spoilt, attach, ...statements)
    const { status, report, text } = await verify(spoilt)
    assert.equal(status, 1, what)
    const found = report.findings.filter((one) => one.table === table && why.test(one.why))
    assert.notEqual(found.length, 0, `${what}: ${text}`)
  }
})

test('a log of changes that was emptied is reported, also after a start', async (t) => {
  const { folder } = await putBack(t)
  edit(folder, 'DELETE FROM change_log')
  const server = await startTestServer({}, { directory: folder })
  const kms = server.client()
  const { Keys = [] } = await kms.send(new ListKeysCommand({}))
  const AliasName = 'alias/later'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: Keys[0]?.KeyId }))
  await server.stop('keep')
  const { status, text } = await verify(folder)
  assert.equal(status, 1, text)
  assert.match(
    text,
    /^BROKEN change_log 1 to \d+: it does not exist: what it changed is not compared$/m,
  )
  edit(folder, "DELETE FROM aliases WHERE name = 'alias/later'")
  assert.match((await verify(folder)).text, /alias\/later: [^\n]*no change has deleted it/)
})
