/** Organisations as operators set them by the command, and what is refused of them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import {
  EncryptCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import type { AccountsPage } from '../../src/operations/trent/list-accounts.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { denied, documentOf, openIdentities, type Identities } from './identities.ts'
import {
  fullAccess as full,
  keepOut,
  noDecrypt,
  organizationId,
  organizationUnit,
} from './organizations.ts'
import { recordsOf } from './records.ts'
import { makeKey } from './sdk.ts'
import { withDatabase } from './stored.ts'

const Plaintext = Buffer.from('x')

const update = ({ server }: Identities, given: object): Promise<unknown> =>
  callOperator(server.directory, 'UpdateAccount', { accountId, ...given })

test('an account whose row is not genuine can do nothing, and nothing can be done in it', async (t) => {
  const first = await startTestServer()
  const made = (await callOperator(first.directory, 'CreateAccount', {
    organizationId,
    serviceControlPolicies: [[full, noDecrypt]],
  })) as CreatedAccount
  const theirs = (server: TestServer): KMSClient => server.client({ credentials: made })
  const { keyId, arn: KeyId } = await makeKey(theirs(first))
  const Policy = documentOf({ Principal: { AWS: '*' }, Action: 'kms:*' })
  await theirs(first).send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  const encrypt = new EncryptCommand({ KeyId, Plaintext })
  await first.client().send(encrypt)
  await first.stop('keep')
  const forged = await withDatabase(first.directory, ({ query }) =>
    query
      .updateTable('accounts')
      .set({ service_control_policies: null })
      .where('account_id', '=', made.accountId)
      .executeTakeFirst(),
  )
  assert.equal(forged.numUpdatedRows, 1n)
  const server = await startTestServer({}, { directory: first.directory })
  t.after(() => server.stop())
  const calls = [
    () => theirs(server).send(encrypt),
    () => theirs(server).send(new ListKeysCommand({})),
    () => server.client().send(encrypt),
  ]
  for (const call of calls) {
    await denied(call(), 'AccessDeniedException', 400, /is not authorized to perform: kms:/)
  }
  await server.client().send(new ListKeysCommand({}))
})

test('the command sets an organisation from files, shows it, and takes it away', async (t) => {
  const { server } = await openIdentities(t)
  const at = (name: string): string => join(server.directory, name)
  await Promise.all([
    writeFile(at('full.json'), full),
    writeFile(at('no.json'), noDecrypt),
    writeFile(at('rcp.json'), keepOut),
  ])
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: server.directory }
  const trent = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, 'account', ...args], { env })).stdout
  const line = await trent(
    'update',
    accountId,
    '--org',
    organizationId,
    '--ou',
    `${organizationUnit}/`,
    '--scp',
    at('full.json'),
    '--scp',
    `${at('full.json')},${at('no.json')}`,
    '--rcp',
    at('rcp.json'),
  )
  assert.match(
    line,
    new RegExp(`^${accountId}  \\S+  ${organizationId}/${organizationUnit}/  scp 3, rcp 1\n$`),
  )
  const listed = JSON.parse(await trent('list', '--json')) as AccountsPage
  const [{ createdAt, ...shown } = { createdAt: '' }] = listed.accounts
  assert.match(createdAt, /Z$/)
  assert.deepEqual(shown, {
    accountId,
    organizationId,
    organizationUnit,
    serviceControlPolicies: [[full], [full, noDecrypt]],
    resourceControlPolicies: [keepOut],
  })
  assert.equal(await trent('list'), line)
  assert.match(await trent('update', accountId, '--no-scp', '--no-rcp'), /scp 0, rcp 0\n$/)
  assert.doesNotMatch(await trent('update', accountId, '--no-org'), /o-/)
  const made = await trent(
    'create',
    '--id',
    '444455556666',
    '--org',
    organizationId,
    '--scp',
    at('full.json'),
  )
  assert.match(made, /^\[444455556666\]$/m)
  assert.match(
    await trent('list'),
    new RegExp(`^444455556666  \\S+  ${organizationId}  scp 1, rcp 0$`, 'm'),
  )
  await assert.rejects(
    trent('update', accountId, '--org', organizationId, '--scp', at('none.json')),
    /the policy .*none\.json cannot be read/,
  )
  const record = (await recordsOf(server.directory)).find(
    ({ eventName }) => eventName === 'UpdateAccount',
  )
  assert.equal(record?.requestParameters?.['organizationId'], organizationId)
  assert.deepEqual(record?.requestParameters?.['resourceControlPolicies'], [keepOut])
})

const refused: readonly (readonly [string, object, RegExp])[] = [
  [
    'an account that is not there',
    { accountId: '999988887777' },
    /NotFoundException.*There is no account 999988887777/,
  ],
  ['what is no organisation’s id', { organizationId: 'o-X' }, /ValidationException/],
  [
    'what is no place in one',
    { organizationId, organizationUnit: 'ou-ab12-1' },
    /ValidationException/,
  ],
  [
    'policies without an organisation',
    { serviceControlPolicies: [[full]] },
    /an account of no organisation has neither/,
  ],
  [
    'leaving and joining',
    { organizationId, leaveOrganization: true },
    /cannot leave its organisation and be given one/,
  ],
  [
    'a level without policies',
    { organizationId, serviceControlPolicies: [[]] },
    /ValidationException/,
  ],
  [
    'more levels than there are',
    { organizationId, serviceControlPolicies: Array.from({ length: 8 }, () => [full]) },
    /ValidationException/,
  ],
  [
    'more policies than a level has',
    { organizationId, serviceControlPolicies: [Array.from({ length: 6 }, () => full)] },
    /ValidationException/,
  ],
  [
    'a service control policy that is none',
    { organizationId, serviceControlPolicies: [[full], [keepOut]] },
    /serviceControlPolicies\.2\.1: .*names no principal/,
  ],
  [
    'a resource control policy that is none',
    { organizationId, resourceControlPolicies: [full] },
    /resourceControlPolicies\.1: /,
  ],
  [
    'a policy that is too long',
    { organizationId, serviceControlPolicies: [[full.padEnd(5121)]] },
    /the policy has 5121 characters, more than 5120/,
  ],
]

test('what says no organisation is refused, in one line, and changes nothing', async (t) => {
  const identities = await openIdentities(t)
  const before = await callOperator(identities.server.directory, 'ListAccounts')
  for (const [what, given, message] of refused) {
    await assert.rejects(update(identities, given), message, what)
  }
  assert.deepEqual(await callOperator(identities.server.directory, 'ListAccounts'), before)
})
