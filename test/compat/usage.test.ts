/** `trent usage` on a server that was used for months of the test clock. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms'
import { accountId, startTestServer } from '../harness.ts'
import { makeKey } from './sdk.ts'
import { setClock } from './test-clock.ts'

const server = await startTestServer({ TRENT_TEST_API: 'on' })
after(() => server.stop())
const kms = server.client()
const main = join(import.meta.dirname, '../../src/main.ts')

async function run(...given: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, TRENT_DATA_DIR: server.directory, TRENT_TEST_API: 'on' }
  const done = await promisify(execFile)(process.execPath, [main, 'usage', ...given], {
    env,
  }).catch((error: unknown) => error as { stdout: string; stderr: string })
  return { stdout: done.stdout, stderr: done.stderr }
}

interface Row {
  readonly group: string
  readonly keyMonths: number
  readonly requests: number
  readonly failedRequests: number
  readonly cost: number
}

async function rowsOf(...given: readonly string[]): Promise<ReadonlyMap<string, Row>> {
  const { stdout, stderr } = await run('--json', ...given)
  assert.equal(stderr, '')
  const { rows } = JSON.parse(stdout) as { readonly rows: readonly Row[] }
  return new Map(rows.map((row) => [row.group, row]))
}

async function newSigningKey(
  TagValue: string,
): Promise<{ readonly keyId: string; readonly arn: string }> {
  const Tags = [{ TagKey: 'team', TagValue }]
  const command = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Tags })
  const { KeyId: keyId = '', Arn: arn = '' } = (await kms.send(command)).KeyMetadata ?? {}
  return { keyId, arn }
}

const Plaintext = Buffer.from('x')

test('a month is added up by key, tag and operation, in a table, CSV and JSON', async () => {
  await setClock(server.url, '2030-04-01T00:00:00Z')
  const Tags = [{ TagKey: 'team', TagValue: 'blue, red' }]
  const used = await makeKey(kms, { Tags })
  const signing = await newSigningKey('=HYPERLINK("http://evil.example")')
  const dying = await makeKey(kms)
  await setClock(server.url, '2030-04-16T00:00:00Z')
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying.keyId, PendingWindowInDays: 7 }))
  await kms.send(new DisableKeyCommand({ KeyId: signing.keyId }))
  const encrypt = new EncryptCommand({ KeyId: used.keyId, Plaintext })
  for (let count = 0; count < 3; count += 1) await kms.send(encrypt)
  const sign = {
    KeyId: signing.keyId,
    Message: Plaintext,
    SigningAlgorithm: 'ECDSA_SHA_256',
  } as const
  await assert.rejects(kms.send(new SignCommand(sign)), { name: 'DisabledException' })
  const pair = { KeyId: used.keyId, KeyPairSpec: 'RSA_2048' } as const
  await kms.send(new GenerateDataKeyPairCommand(pair))
  // The key is gone by then; what it cost is known.
  await setClock(server.url, '2030-05-02T00:00:00Z')
  const april = ['--month', '2030-04', '--account', accountId]
  let byKey = await rowsOf(...april, '--by', 'key')
  for (let tried = 0; byKey.get(used.arn)?.requests !== 5 && tried < 100; tried += 1) {
    byKey = await rowsOf(...april, '--by', 'key')
  }
  const figures = (row: Row | undefined): unknown =>
    row && [Number(row.keyMonths.toFixed(3)), row.requests, row.failedRequests]
  // CreateKey counts as a request about the key that it made, and so do the last two.
  assert.deepEqual(figures(byKey.get(used.arn)), [1, 5, 0])
  assert.deepEqual(figures(byKey.get(signing.arn)), [1, 2, 1])
  assert.deepEqual(figures(byKey.get(dying.arn)), [0.5, 2, 0])
  const old = await rowsOf(...april, '--by', 'key', '--prices', '2015')
  assert.deepEqual(figures(old.get(signing.arn)), [0.5, 2, 1])
  const byOperation = await rowsOf(...april, '--by', 'operation')
  assert.equal(byOperation.get('Encrypt')?.requests, 3)
  assert.equal(byOperation.get('GenerateDataKeyPair RSA_2048')?.cost.toFixed(4), '0.0012')
  const byTag = await rowsOf(...april, '--by', 'tag:team')
  assert.equal(byTag.get('blue, red')?.requests, 5)
  const { stdout: table } = await run(...april)
  assert.match(table, /^usage in 2030-04 by the price list today; 6 requests are free\n/)
  assert.match(table, new RegExp(`^${accountId} +2\\.5000 +9 +1 +2\\.5012$`, 'm'))
  const { stdout: csv } = await run(...april, '--by', 'tag:team', '--csv')
  assert.match(csv, /^group,keyMonths,requests,failedRequests,cost\r\n/)
  assert.match(csv, /^"blue, red",1\.0000,5,0,1\.0012\r$/m)
  // A tag's value is no formula.
  assert.match(csv, /^"'=HYPERLINK\(""http:\/\/evil\.example""\)",1\.0000,/m)
  const prices = join(server.directory, 'prices.json')
  const own = { name: 'ours', currency: 'EUR', keyMonth: 2, chargedStates: ['Enabled'] }
  const requests = [{ per10000: 10_000, free: true }]
  await writeFile(
    prices,
    JSON.stringify({ ...own, rotationsCharged: 0, freeRequests: 1, requests }),
  )
  const ours = await rowsOf(...april, '--prices', prices)
  assert.equal(ours.get(accountId)?.cost.toFixed(2), (2 * 2 + 8).toFixed(2))
})

test('what cannot be asked is refused in one line', async () => {
  for (const [given, message] of [
    [['--month', '2030-13'], '--month is a month as 2026-11'],
    [['--by', 'colour'], '--by is account, key, operation or tag:<key>'],
    [['--prices', '/nowhere'], '--prices /nowhere: it cannot be read'],
    [['--account', '999999999999'], 'there is no account 999999999999'],
  ] as const) {
    const { stdout, stderr } = await run(...given)
    assert.equal(stdout, '')
    assert(stderr.includes(message) && stderr.trimEnd().split('\n').length === 1, stderr)
  }
})
