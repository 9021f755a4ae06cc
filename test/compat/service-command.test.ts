/** Services as operators register them: by the command, and what it refuses. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { callOperator } from '../../src/operator/client.ts'
import type { RegisteredService } from '../../src/operations/trent/register-service.ts'
import { region } from '../harness.ts'
import { openIdentities } from './identities.ts'
import { recordTexts, recordsOf } from './records.ts'

test('the command registers a service, whose secret is told once and recorded nowhere', async (t) => {
  const { server } = await openIdentities(t)
  const program = join(import.meta.dirname, '../../src/main.ts')
  const env = { ...process.env, TRENT_DATA_DIR: server.directory }
  const trent = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [program, 'service', ...args], { env })).stdout
  const at = ['--region', region] as const
  const text = await trent(
    'register',
    's3.amazonaws.com',
    ...at,
    '--host',
    's3.local',
    '*.s3.local',
  )
  const [, accessKeyId = '', secretAccessKey = ''] =
    /^\[s3\.amazonaws\.com\]\nregion = us-west-2\naws_access_key_id = (ATSV[A-Z2-7]{16})\naws_secret_access_key = (\S{40})\n/m.exec(
      text,
    ) ?? []
  assert.match(text, /reached as s3\.local, \*\.s3\.local/)
  const other = JSON.parse(
    await trent('register', 'ec2.amazonaws.com', ...at, '--json'),
  ) as RegisteredService
  assert.deepEqual(other.hosts, ['ec2.us-west-2.amazonaws.com'])
  const listed = await trent('list')
  assert.match(listed, new RegExp(`^s3\\.amazonaws\\.com {2}us-west-2 {2}${accessKeyId} `, 'm'))
  assert(!listed.includes(secretAccessKey) && secretAccessKey !== '')
  await trent('deregister', 's3.amazonaws.com', ...at)
  const { services } = JSON.parse(await trent('list', '--json')) as { services: { name: string }[] }
  assert.deepEqual(
    services.map(({ name }) => name),
    ['ec2.amazonaws.com'],
  )
  await assert.rejects(trent('register', 'rds.amazonaws.com'), /required option '--region/)
  const call = (operation: string, name: string, more: object = {}): Promise<unknown> =>
    callOperator(server.directory, operation, { name, region, ...more })
  const refused: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => call('RegisterService', 'ec2.amazonaws.com'), /AlreadyExistsException/],
    [() => call('RegisterService', 'kms.amazonaws.com'), /kms\.amazonaws\.com is Trent itself/],
    [() => call('RegisterService', 'iam.amazonaws.com'), /is Trent itself/],
    [() => call('RegisterService', 'sts.amazonaws.com'), /is Trent itself/],
    [() => call('RegisterService', 's3.example.org'), /ValidationException/],
    [() => call('RegisterService', 'a.b.amazonaws.com'), /ValidationException/],
    [() => call('RegisterService', 'S3.amazonaws.com'), /ValidationException/],
    [
      () => call('RegisterService', 'rds.amazonaws.com', { region: 'moon-1' }),
      /no Region `moon-1`/,
    ],
    [() => call('RegisterService', 'rds.amazonaws.com', { hosts: [] }), /ValidationException/],
    [
      () => call('RegisterService', 'rds.amazonaws.com', { hosts: ['UPPER.local'] }),
      /ValidationException/,
    ],
    [() => call('RegisterService', 'rds.amazonaws.com', { hosts: ['a/b'] }), /ValidationException/],
    [
      () => call('RegisterService', 'rds.amazonaws.com', { hosts: ['a.*.b'] }),
      /ValidationException/,
    ],
    [() => call('DeregisterService', 's3.amazonaws.com'), /NotFoundException/],
    [
      () => call('DeregisterService', 'ec2.amazonaws.com', { region: 'eu-west-1' }),
      /NotFoundException/,
    ],
  ]
  for (const [answer, message] of refused) await assert.rejects(answer(), message)
  const made = (await recordsOf(server.directory)).filter(
    ({ eventName, errorCode }) => eventName === 'RegisterService' && errorCode === undefined,
  )
  assert.equal(made.length, 2)
  const texts = (await recordTexts(server.directory)).join('\n')
  assert(texts.includes(accessKeyId))
  for (const secret of [secretAccessKey, other.secretAccessKey]) assert(!texts.includes(secret))
})
