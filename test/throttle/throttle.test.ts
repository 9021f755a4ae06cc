/** Request quotas: what a call is charged to, and when it is refused. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { KeySpec } from '../../src/model/key.ts'
import { createRegionTable } from '../../src/model/region.ts'
import { cloudwatchRegistry } from '../../src/operations/cloudwatch/registry.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { cloudtrailRegistry } from '../../src/operations/cloudtrail/registry.ts'
import { chargesOf } from '../../src/throttle/charges.ts'
import { createQuotas, QuotaError, type Profile } from '../../src/throttle/profiles.ts'
import { createThrottle } from '../../src/throttle/throttle.ts'

const tooFast = {
  code: 'ThrottlingException',
  message:
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
}

const tooFastElsewhere = { code: 'ThrottlingException', message: 'Rate exceeded' }

interface Told {
  readonly service?: string
  readonly account?: string
  readonly region?: string
  readonly input?: Readonly<Record<string, unknown>>
  readonly specs?: readonly KeySpec[]
}

function opened(profile: Profile, overrides?: string) {
  let now = 5000
  const quotas = createQuotas(profile, overrides)
  const throttle = createThrottle(quotas, { monotonic: () => now, regions: createRegionTable() })
  const admit = (
    operation: string,
    { service = 'kms', account = 'one', region = 'us-west-2', input = {}, specs = [] }: Told = {},
  ): void => throttle.admit(account, region, { service, operation, input, specs })
  return { quotas, throttle, admit, pass: (ms: number) => (now += ms) }
}

test('a bucket holds one second’s worth, at, below and above its edge', () => {
  const { admit, pass } = opened('aws')
  for (let count = 0; count < 5; count += 1) admit('CreateKey')
  assert.throws(() => admit('CreateKey'), tooFast)
  pass(199)
  assert.throws(() => admit('CreateKey'), tooFast)
  pass(1)
  admit('CreateKey')
  assert.throws(() => admit('CreateKey'), tooFast)
  // After any pause, at most one second's worth.
  pass(3_600_000)
  for (let count = 0; count < 5; count += 1) admit('CreateKey')
  assert.throws(() => admit('CreateKey'), tooFast)
})

test('accounts, Regions and operations have buckets of their own', () => {
  const { admit } = opened('aws', 'CreateKey=1')
  admit('CreateKey')
  assert.throws(() => admit('CreateKey'), tooFast)
  admit('CreateKey', { account: 'two' })
  admit('CreateKey', { region: 'eu-west-1' })
  admit('CreateAlias')
})

test('events are looked up twice a second by each account in each Region, as at AWS', () => {
  for (const profile of ['aws', 'aws-2015'] as const) {
    const { admit, pass } = opened(profile)
    const trail = { service: 'cloudtrail' }
    for (let count = 0; count < 2; count += 1) admit('LookupEvents', trail)
    assert.throws(() => admit('LookupEvents', trail), tooFastElsewhere)
    admit('LookupEvents', { ...trail, region: 'eu-west-1' })
    admit('LookupEvents', { ...trail, account: 'two' })
    admit('CreateTrail', trail)
    assert.throws(() => admit('CreateTrail', trail), tooFastElsewhere)
    for (let count = 0; count < 10; count += 1) admit('DescribeTrails', trail)
    assert.throws(() => admit('DescribeTrails', trail), tooFastElsewhere)
    for (let count = 0; count < 25; count += 1) admit('ListMetrics', { service: 'monitoring' })
    assert.throws(() => admit('ListMetrics', { service: 'monitoring' }), tooFastElsewhere)
    pass(500)
    admit('LookupEvents', trail)
    assert.throws(() => admit('LookupEvents', trail), tooFastElsewhere)
  }
})

test('every operation of CloudTrail and CloudWatch has a rate, and no two services share a name', () => {
  const { quotas } = opened('aws')
  const others = [...cloudtrailRegistry.values(), ...cloudwatchRegistry.values()].map(
    ({ name }) => name,
  )
  const ofKms = new Set([...kmsRegistry.values()].map(({ name }) => name))
  assert.ok(others.length > 10)
  for (const name of others) {
    assert.ok(quotas.rateOf(name, 'us-west-2') !== undefined, name)
    assert.ok(!ofKms.has(name), name)
  }
})

test('cryptographic operations on keys of a kind share one, and each kind has its own', () => {
  const { admit } = opened('aws', 'cryptographic-symmetric=3,cryptographic-rsa=2')
  const symmetric = { specs: ['SYMMETRIC_DEFAULT'] as const }
  admit('Encrypt', symmetric)
  admit('GenerateRandom')
  admit('GenerateMac', { specs: ['HMAC_256'] as const })
  for (const name of ['Decrypt', 'GenerateDataKey', 'VerifyMac', 'GenerateRandom']) {
    assert.throws(() => admit(name, symmetric), tooFast)
  }
  const rsa = { specs: ['RSA_2048'] as const }
  admit('Sign', rsa)
  admit('Encrypt', { specs: ['RSA_4096'] as const })
  assert.throws(() => admit('Verify', rsa), tooFast)
  admit('Sign', { specs: ['ECC_NIST_P256'] as const })
  admit('Sign', { specs: ['ML_DSA_44'] as const })
})

test('a ReEncrypt between two kinds draws on both or on none', () => {
  const { admit, throttle } = opened('aws', 'cryptographic-symmetric=2,cryptographic-rsa=1')
  const both = { specs: ['SYMMETRIC_DEFAULT', 'RSA_2048'] as const }
  admit('ReEncrypt', both)
  assert.throws(() => admit('ReEncrypt', both), tooFast)
  assert.equal(throttle.available('one', 'us-west-2', 'cryptographic-symmetric'), 1)
  admit('ReEncrypt', { specs: ['SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT'] as const })
})

test('pairs are counted by spec, with and without plaintext together', () => {
  const { admit, pass } = opened('aws')
  const of = (KeyPairSpec: string) => ({
    input: { KeyPairSpec },
    specs: ['SYMMETRIC_DEFAULT'] as const,
  })
  admit('GenerateDataKeyPair', of('RSA_4096'))
  assert.throws(() => admit('GenerateDataKeyPairWithoutPlaintext', of('RSA_4096')), tooFast)
  admit('GenerateDataKeyPair', of('RSA_3072'))
  const china = { ...of('RSA_4096'), region: 'cn-north-1' }
  admit('GenerateDataKeyPair', china)
  pass(9999)
  assert.throws(() => admit('GenerateDataKeyPair', china), tooFast)
  pass(2)
  admit('GenerateDataKeyPair', china)
})

test('a replica costs its Region two keys, a new primary costs both Regions', () => {
  assert.deepEqual(
    chargesOf({
      service: 'kms',
      operation: 'ReplicateKey',
      input: { ReplicaRegion: 'eu-west-1' },
      specs: [],
    }),
    [
      { group: 'ReplicateKey', count: 1 },
      { group: 'CreateKey', region: 'eu-west-1', count: 2 },
    ],
  )
  const { admit } = opened('aws')
  const move = { input: { PrimaryRegion: 'eu-west-1' } }
  for (let count = 0; count < 5; count += 1) admit('UpdatePrimaryRegion', move)
  assert.throws(() => admit('UpdatePrimaryRegion', { ...move, region: 'ap-south-1' }), tooFast)
})

test('a Region that does not exist has no buckets, whatever a caller names', () => {
  const { admit, throttle } = opened('aws', 'ReplicateKey=1000')
  for (let count = 0; count < 10; count += 1) {
    admit('ReplicateKey', { input: { ReplicaRegion: 'mars-north-1' } })
    admit('UpdatePrimaryRegion', {
      region: `eu-west-${1 + (count % 3)}`,
      input: { PrimaryRegion: 'x' },
    })
  }
  assert.equal(throttle.available('one', 'mars-north-1', 'CreateKey'), 5)
  const there = { input: { ReplicaRegion: 'eu-north-1' } }
  for (let count = 0; count < 2; count += 1) admit('ReplicateKey', there)
  assert.throws(() => admit('ReplicateKey', there), tooFast)
})

test('the profile of 2015 has its own numbers, and today’s for what it does not name', () => {
  const { quotas } = opened('aws-2015')
  assert.equal(quotas.rateOf('cryptographic-symmetric', 'us-east-1'), 100)
  assert.equal(quotas.rateOf('DescribeKey', 'us-east-1'), 30)
  assert.equal(quotas.rateOf('TagResource', 'us-east-1'), 10)
  assert.equal(quotas.rateOf(quotas.groupOf('cryptographic-mac'), 'us-east-1'), 10_000)
  assert.deepEqual(quotas.resources, {
    keys: 100,
    aliases: 200,
    aliasesPerKey: Infinity,
    grantsPerKey: 250,
    grantsPerPrincipal: 30,
  })
  const today = opened('aws').quotas
  assert.equal(today.rateOf('cryptographic-symmetric', 'us-east-1'), 100_000)
  assert.equal(today.rateOf('cryptographic-symmetric', 'ap-northeast-1'), 20_000)
  assert.equal(today.rateOf('cryptographic-symmetric', 'sa-east-1'), 10_000)
})

test('unlimited limits nothing but what is overridden', () => {
  const { admit } = opened('unlimited', 'CreateKey=1')
  for (let count = 0; count < 1000; count += 1) admit('CreateAlias')
  admit('CreateKey')
  assert.throws(() => admit('CreateKey'), tooFast)
  assert.equal(createQuotas('unlimited', 'keys=7').resources.keys, 7)
})

test('an override that names nothing or gives no number is one line that says so', () => {
  for (const [text, message] of [
    ['CreateKeys=5', 'CreateKeys is not a quota'],
    ['constructor=5', 'constructor is not a quota'],
    ['CreateKey', "'CreateKey' is not of the form CreateKey=50"],
    ['CreateKey=-1', "'CreateKey=-1' is not of the form CreateKey=50"],
    ['CreateKey=0', 'CreateKey must be more than 0 and at most 1000000000'],
    ['CreateKey=9999999999', 'CreateKey must be more than 0 and at most 1000000000'],
    ['keys=5,,aliases=x', "'aliases=x' is not of the form CreateKey=50"],
    ['CreateKey=1e3', "'CreateKey=1e3' is not of the form CreateKey=50"],
    ['CreateKey=0.0001', "'CreateKey=0.0001' is not of the form CreateKey=50"],
    ['CreateKey=1=2', "'CreateKey=1=2' is not of the form CreateKey=50"],
    ['CreateKey=1;CreateAlias=2', "'CreateKey=1;CreateAlias=2' is not of the form CreateKey=50"],
    ['__proto__=5', "'__proto__=5' is not of the form CreateKey=50"],
    [
      'cryptographic-symmetric=0.0',
      'cryptographic-symmetric must be more than 0 and at most 1000000000',
    ],
    ['Keys=5', 'Keys is not a quota'],
    ['keys=0', 'keys must be more than 0 and at most 1000000000'],
    ['keys=2.5', 'keys must be a whole number'],
    ['grantsPerPrincipal=0.5', 'grantsPerPrincipal must be a whole number'],
    ['CreateKey=5,keys=5,CreateKey=7', 'CreateKey is given twice'],
    ['keys=5,keys=5', 'keys is given twice'],
  ] as const) {
    assert.throws(() => createQuotas('aws', text), new QuotaError(message))
  }
})

test('in any second no more than two buckets’ worth pass, and a steady caller at the rate always does', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(gaps, (waits) => {
      const { admit, pass } = opened('aws')
      let now = 0
      const passed: number[] = []
      for (const wait of waits) {
        now += wait
        pass(wait)
        try {
          admit('CreateKey')
          passed.push(now)
        } catch {
          // throttled
        }
      }
      for (const start of passed) {
        const within = passed.filter((at) => at >= start && at < start + 1000)
        assert(within.length <= 10)
      }
      const steady = opened('aws')
      for (let count = 0; count < 20; count += 1) {
        steady.admit('CreateKey')
        steady.pass(201)
      }
    }),
  )
})
