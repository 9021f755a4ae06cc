/** The settings of delivery, and the reason of each refusal. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDeliverySettings } from '../../../src/audit/delivery/settings.ts'
import { SettingWrong } from '../../../src/webhooks/webhook-settings.ts'

type Settings = Parameters<typeof readDeliverySettings>[0]

const s3: Settings = {
  TRENT_S3_ENDPOINT: 'https://s3.example.com',
  TRENT_S3_ACCESS_KEY_ID: 'AKIA',
  TRENT_S3_SECRET_ACCESS_KEY: 'very-secret-indeed',
  TRENT_AUDIT_BUCKET: 'logs',
}

test('nothing is delivered unless a place is named, and the journal is kept for 90 days', () => {
  const settings = readDeliverySettings({})
  assert.equal(settings.place, undefined)
  assert.equal(settings.retentionDays, 90)
})

test('a bucket’s server is named with its credentials, other buckets with their accounts', () => {
  const settings = readDeliverySettings({
    ...s3,
    TRENT_AUDIT_BUCKETS: 'team=111122223333,all=111122223333+444455556666',
    TRENT_AUDIT_RETENTION_DAYS: '7',
  })
  assert.deepEqual(settings.place, {
    kind: 's3',
    endpoint: 'https://s3.example.com',
    region: 'us-east-1',
    accessKeyId: 'AKIA',
    plaintextSecretAccessKey: 'very-secret-indeed',
  })
  assert.deepEqual([...settings.buckets.keys()], ['team', 'all'])
  assert.deepEqual([...(settings.buckets.get('all') ?? [])], ['111122223333', '444455556666'])
  assert.equal(settings.retentionDays, 7)
})

const refused: readonly [what: string, settings: Settings, says: RegExp][] = [
  ['two places', { ...s3, TRENT_AUDIT_DIR: '/a' }, /exclude each other/],
  ['plain HTTP to another machine', { ...s3, TRENT_S3_ENDPOINT: 'http://s3.example.com' }, /https/],
  ['credentials in the URL', { ...s3, TRENT_S3_ENDPOINT: 'https://a:b@s3.example.com' }, /https/],
  ['what is no URL', { ...s3, TRENT_S3_ENDPOINT: 's3' }, /TRENT_S3_ENDPOINT/],
  ['no secret', { ...s3, TRENT_S3_SECRET_ACCESS_KEY: undefined as never }, /TRENT_S3_SECRET/],
  ['no bucket', { ...s3, TRENT_AUDIT_BUCKET: undefined as never }, /TRENT_AUDIT_BUCKET/],
  ['a bucket that can be none', { ...s3, TRENT_AUDIT_BUCKET: '../x' }, /TRENT_AUDIT_BUCKET/],
  ['a prefix that climbs', { TRENT_AUDIT_DIR: '/a', TRENT_AUDIT_PREFIX: 'a/../b' }, /PREFIX/],
  ['a prefix with a slash at its end', { TRENT_AUDIT_PREFIX: 'a/' }, /PREFIX/],
  ['a prefix without end', { TRENT_AUDIT_PREFIX: 'a'.repeat(201) }, /PREFIX/],
  [
    'encryption in a directory',
    { TRENT_AUDIT_DIR: '/a', TRENT_AUDIT_KMS_KEY_ID: 'k' },
    /encrypts nothing/,
  ],
  [
    'buckets in a directory',
    { TRENT_AUDIT_DIR: '/a', TRENT_AUDIT_BUCKETS: 'abc=111122223333' },
    /one bucket/,
  ],
  ['a bucket without accounts', { ...s3, TRENT_AUDIT_BUCKETS: 'abc' }, /TRENT_AUDIT_BUCKETS/],
  [
    'a bucket twice',
    { ...s3, TRENT_AUDIT_BUCKETS: 'abc=111122223333,abc=111122223333' },
    /BUCKETS/,
  ],
  ['a webhook without a secret', { TRENT_AUDIT_WEBHOOK: 'https://h' }, /need each other/],
  [
    'a webhook in the clear',
    { TRENT_AUDIT_WEBHOOK: 'http://h.example', TRENT_AUDIT_WEBHOOK_SECRET: 's'.repeat(16) },
    /https/,
  ],
  [
    'a short secret',
    { TRENT_AUDIT_WEBHOOK: 'https://h', TRENT_AUDIT_WEBHOOK_SECRET: 'short' },
    /16 to 256/,
  ],
  ['retention of no day', { TRENT_AUDIT_RETENTION_DAYS: '0' }, /RETENTION/],
  ['retention in words', { TRENT_AUDIT_RETENTION_DAYS: '1y' }, /RETENTION/],
]

for (const [what, settings, says] of refused) {
  test(`settings of delivery with ${what} are refused in one line`, () => {
    assert.throws(
      () => readDeliverySettings(settings),
      (error) => {
        assert.ok(error instanceof SettingWrong)
        assert.match(error.message, says)
        assert.ok(!/very-secret|short/.test(error.message))
        return true
      },
    )
  })
}
