/** What `trent verify-database` finds in a database that was changed while its server was stopped. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test, type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import {
  AttachUserPolicyCommand,
  AddUserToGroupCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { accountId, credentials, startTestServer } from '../harness.ts'
import { verify } from './verified.ts'

let made = ''
before(async () => {
  const server = await startTestServer()
  made = server.directory
  const kms = server.client()
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  for (let count = 0; count < 3; count += 1) {
    await kms.send(new CreateKeyCommand({}))
  }
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  )
  const { KeyMetadata: used } = await kms.send(new CreateKeyCommand({}))
  await kms.send(new EncryptCommand({ KeyId: used?.KeyId, Plaintext: Buffer.from('x') }))
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyMetadata?.KeyId }))
  const GranteePrincipal = `arn:aws:iam::${accountId}:root`
  await kms.send(
    new CreateGrantCommand({ KeyId: used?.KeyId, GranteePrincipal, Operations: ['Encrypt'] }),
  )
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  await iam.send(new CreateGroupCommand({ GroupName: 'g' }))
  await iam.send(new AddUserToGroupCommand({ UserName: 'u', GroupName: 'g' }))
  await iam.send(new CreateAccessKeyCommand({ UserName: 'u' }))
  const PolicyDocument =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument }))
  await iam.send(new AttachUserPolicyCommand({ UserName: 'u', PolicyArn: Policy?.Arn }))
  await iam.send(
    new AttachUserPolicyCommand({
      UserName: 'u',
      PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
    }),
  )
  iam.destroy()
  await server.stop('keep')
})
after(() => rmSync(made, { recursive: true, force: true }))

function copy(t: TestContext, ...statements: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'trent-verify-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['trent.db', 'seal.key']) cpSync(join(made, name), join(folder, name))
  if (statements.length === 0) return folder
  const file = new DatabaseSync(join(folder, 'trent.db'), {
    defensive: false,
    enableForeignKeyConstraints: false,
  })
  for (const statement of statements) file.exec(statement)
  file.close()
  return folder
}

test('a database that nobody has changed is whole, and is left as it was', async (t) => {
  const folder = copy(t)
  const bytes = readFileSync(join(folder, 'trent.db'))
  const { status, text, report } = await verify(folder)
  assert.equal(status, 0, text)
  assert.deepEqual(report.findings, [])
  assert.equal(report.opened, 5 + 2)
  assert.ok(report.rows > 20)
  assert.match(
    text,
    /\nwhole: \d+ rows with a genuine tag, 7 wrapped keys and secrets that open\n$/,
  )
  assert.deepEqual(readdirSync(folder).toSorted(), ['seal.key', 'trent.db'])
  assert.deepEqual(readFileSync(join(folder, 'trent.db')), bytes)
})

const changes: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'a key’s state',
    "UPDATE keys SET state = 'Disabled' WHERE usage = 'SIGN_VERIFY'",
    'keys',
    /tag is wrong/,
  ],
  ['a row’s tag', "UPDATE aliases SET row_tag = x'00'", 'aliases', /tag is wrong/],
  ['a last use', 'UPDATE key_usage SET used_at = 1', 'key_usage', /tag is wrong/],
  [
    'a last use without a tag',
    'UPDATE key_usage SET row_tag = zeroblob(0)',
    'key_usage',
    /tag is wrong/,
  ],
  [
    'the start of tracking',
    'UPDATE key_usage_tracking SET since = 1',
    'key_usage_tracking',
    /tag is wrong/,
  ],
  [
    'a wrapped key',
    'UPDATE key_materials SET wrapped = zeroblob(60) WHERE rowid = 1',
    'key_materials',
    /do not open/,
  ],
  [
    'a wrapped key’s place',
    "UPDATE key_materials SET region = 'eu-north-1' WHERE rowid = 1",
    'key_materials',
    /do not open/,
  ],
  [
    'a secret',
    'UPDATE access_keys SET wrapped_secret = zeroblob(60)',
    'access_keys',
    /do not open/,
  ],
  [
    'a key material less',
    'DELETE FROM key_materials WHERE rowid = 1',
    'keys',
    /current key material does not exist/,
  ],
  [
    'a key less',
    "DELETE FROM keys WHERE usage = 'SIGN_VERIFY'",
    'aliases',
    /row of keys that does not exist/,
  ],
  [
    'a key less, of its material',
    "DELETE FROM keys WHERE usage = 'SIGN_VERIFY'",
    'key_materials',
    /key does not exist/,
  ],
  ['a last use less', 'DELETE FROM key_usage WHERE rowid = 1', 'keys', /last use does not exist/],
  ['a user less', 'DELETE FROM users', 'access_keys', /user does not exist/],
  ['a group less', 'DELETE FROM groups', 'users', /group that does not exist/],
  ['a policy less', 'DELETE FROM managed_policies', 'users', /managed policy that does not exist/],
  ['an account less', 'DELETE FROM accounts', 'keys', /row of accounts that does not exist/],
  ['an alias less', 'DELETE FROM aliases', 'resource_counts', /not the number of rows/],
  ['the number of the last change less', 'DELETE FROM change_head', 'change_head', /has no row/],
  ['an earlier last change', 'UPDATE change_head SET seq = 1', 'change_log', /was put back/],
  [
    'the latest changes less',
    'DELETE FROM change_log WHERE seq > 2',
    'change_head',
    /was put back/,
  ],
  [
    'a trigger',
    'CREATE TRIGGER x AFTER INSERT ON keys BEGIN DELETE FROM grants; END',
    '',
    /trigger `x`/,
  ],
]

for (const [what, statement, table, why] of changes) {
  test(`${what} is found`, async (t) => {
    const { status, text, report } = await verify(copy(t, statement))
    assert.equal(status, 1, text)
    assert.equal(report.whole, false)
    const found = report.findings.filter(
      (finding) => finding.table === table && why.test(finding.why),
    )
    assert.notEqual(found.length, 0, text)
    assert.match(text, /\nBROKEN\b.*\n/)
    assert.match(text, /\nNOT WHOLE\n$/)
  })
}

test('a row of another name is told by its primary key, whatever characters that has', async (t) => {
  const { text } = await verify(
    copy(t, "UPDATE aliases SET name = 'alias/x' || char(10, 27) || 'BROKEN'"),
  )
  assert.match(text, /\nBROKEN aliases \d{12}\/[a-z0-9-]+\/alias\/x\\u000a\\u001bBROKEN: /)
})

test('a damaged page is found, and nothing is said of rows', async (t) => {
  const folder = copy(t)
  const path = join(folder, 'trent.db')
  const bytes = readFileSync(path)
  // The second half of the file: its first pages hold the schema.
  bytes.fill(
    0xff,
    Math.floor(bytes.length / 8192) * 4096,
    Math.floor(bytes.length / 8192) * 4096 + 8192,
  )
  writeFileSync(path, bytes)
  const { status, report } = await verify(folder)
  assert.equal(status, 1)
  assert.equal(report.rows, 0)
})

test('many findings are counted, and a bounded number named', async (t) => {
  const numbers = Array.from(
    { length: 300 },
    (_, index) => `(${1000 + index}, 'id', 0, 'key', 'a', 'r', 'k', NULL, x'00')`,
  )
  const { text, report } = await verify(copy(t, `INSERT INTO change_log VALUES ${numbers.join()}`))
  assert.equal(report.findings.length, 100)
  assert.match(text, /\nand \d+ more\nNOT WHOLE\n$/)
})

test('what cannot be read is told in one line, with another exit status', async (t) => {
  const cases: readonly (readonly [(folder: string) => void, RegExp])[] = [
    [(folder) => rmSync(join(folder, 'trent.db')), /the file does not exist/],
    [(folder) => writeFileSync(join(folder, 'trent.db'), Buffer.alloc(8192, 7)), /not a database/],
    [(folder) => rmSync(join(folder, 'seal.key')), /key file .* is missing/],
    [(folder) => writeFileSync(join(folder, 'seal.key'), Buffer.alloc(32, 7)), /does not open/],
  ]
  for (const [spoil, expected] of cases) {
    const folder = copy(t)
    spoil(folder)
    const { status, text, report } = await verify(folder)
    assert.equal(status, 2)
    assert.match(text, /^cannot verify [^\n]+\n$/)
    assert.match(text, expected)
    assert.match(report.error ?? '', expected)
  }
})

test('a running server’s database is refused, and what its crash left in the log is read', async (t) => {
  const server = await startTestServer()
  t.after(() => server.stop())
  await server.client().send(new CreateKeyCommand({}))
  const { status, text } = await verify(server.directory)
  assert.equal(status, 2)
  assert.match(text, /a server has it open: stop it, or verify a copy/)
  const folder = mkdtempSync(join(tmpdir(), 'trent-verify-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['trent.db', 'trent.db-wal', 'seal.key']) {
    cpSync(join(server.directory, name), join(folder, name))
  }
  const crashed = await verify(folder)
  assert.equal(crashed.status, 0, crashed.text)
  assert.equal(crashed.report.opened, 2)
})
