/** `trent key-usage`: past usage of a key, as the command tells it. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  DisableKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import type { KeyUsageReport } from '../../src/cli/key-usage.ts'
import { accountId, region } from '../harness.ts'
import { openIdentities } from './identities.ts'
import { makeKey } from './sdk.ts'

const Plaintext = Buffer.from('x')

test('the command says who called for a key, how, from where, by what and when last', async (t) => {
  const { server, root, newUser } = await openIdentities(t)
  const { keyId: KeyId, arn } = await makeKey(root.kms)
  const other = await makeKey(root.kms)
  const ada = await newUser('ada', { Action: 'kms:Encrypt' })
  const bob = await newUser('bob')
  const { GrantId } = await root.kms.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal: bob.arn, Operations: ['Encrypt'] }),
  )
  const encrypt = new EncryptCommand({ KeyId: arn, Plaintext })
  for (let count = 0; count < 3; count += 1) await ada.kms.send(encrypt)
  await bob.kms.send(encrypt)
  await bob.kms.send(new EncryptCommand({ KeyId: other.arn, Plaintext })).catch(() => undefined)
  await root.kms.send(new CreateAliasCommand({ AliasName: 'alias/used', TargetKeyId: KeyId }))
  await root.kms.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(ada.kms.send(encrypt), { name: 'DisabledException' })

  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: server.directory }
  const trent = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, 'key-usage', ...args], { env })).stdout
  const usageOf = async (...args: readonly string[]): Promise<KeyUsageReport> =>
    JSON.parse(await trent(...args, '--json')) as KeyUsageReport
  const deadline = performance.now() + 60_000
  let usage = await usageOf(KeyId)
  while (!usage.groups.some(({ outcome }) => outcome === 'DisabledException')) {
    assert(performance.now() < deadline)
    await sleep(100)
    usage = await usageOf(KeyId)
  }
  assert.equal(usage.keyArn, arn)
  const told = usage.groups.map(({ principal, operation, outcome, count }) => [
    principal,
    operation,
    outcome,
    count,
  ])
  const rootArn = `arn:aws:iam::${accountId}:root`
  assert.deepEqual(told, [
    [ada.arn, 'Encrypt', 'DisabledException', 1],
    [rootArn, 'DisableKey', 'allowed', 1],
    [rootArn, 'CreateAlias', 'allowed', 1],
    [bob.arn, 'Encrypt', 'allowed', 1],
    [ada.arn, 'Encrypt', 'allowed', 3],
    [rootArn, 'CreateGrant', 'allowed', 1],
    [rootArn, 'CreateKey', 'allowed', 1],
  ])
  const [, , , byGrant, byPolicy] = usage.groups
  assert.deepEqual(byGrant?.reasons, [`grant ${GrantId}`])
  assert(byPolicy?.reasons.every((reason) => !reason.startsWith('grant')))
  assert.equal(byPolicy?.sourceAddress, '127.0.0.1')
  assert.match(byPolicy?.userAgent ?? '', /^aws-sdk-js/)
  assert(byPolicy && byPolicy.first <= byPolicy.last)
  // By each of its names the same, and for a time of which nothing is known nothing.
  for (const name of [arn, 'alias/used', `arn:aws:kms:${region}:${accountId}:alias/used`]) {
    assert.deepEqual((await usageOf(name)).groups, usage.groups)
  }
  const earlier = ['--from', '2001-01-01', '--until', '2002-01-01']
  assert.deepEqual((await usageOf(KeyId, ...earlier)).groups, [])
  assert.deepEqual((await usageOf(KeyId, '--region', 'eu-west-1')).groups, [])
  assert.match(await trent(KeyId, ...earlier), /no call for this key is recorded/)
  const text = await trent(KeyId)
  assert.match(text, /^LAST +COUNT +OPERATION +OUTCOME +WHO +FROM +BY$/m)
  assert.match(text, new RegExp(`3 +Encrypt +allowed +${ada.arn} +127\\.0\\.0\\.1 `))
  for (const [wrong, words] of [
    [['alias/nothing'], /^trent: there is no alias\/nothing$/m],
    [[KeyId, '--from', 'yesterday'], /^trent: `from` must be a day/m],
    [[KeyId, '--account', '1'], /^trent: .*'accountId'/m],
    [['arn:aws:s3:::bucket'], /^trent: `arn:aws:s3:::bucket` is no ARN of a key$/m],
  ] as const) {
    await assert.rejects(trent(...wrong), words)
  }
})
