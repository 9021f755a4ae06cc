/** Every request quota at, below and above its limit, in each profile that has it. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySpecs } from '../../src/crypto/key-specs.ts'
import type { KeySpec } from '../../src/model/key.ts'
import { createRegionTable } from '../../src/model/region.ts'
import { cloudwatchRegistry } from '../../src/operations/cloudwatch/registry.ts'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { cloudtrailRegistry } from '../../src/operations/cloudtrail/registry.ts'
import { createQuotas, type Profile } from '../../src/throttle/profiles.ts'
import { createThrottle } from '../../src/throttle/throttle.ts'
import {
  larger,
  largest,
  macs,
  named2015,
  pairs,
  symmetricOperations,
  today,
} from './known-rates.ts'

const tooFast = {
  code: 'ThrottlingException',
  message:
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
}

/** An operation, and its calls a second for an account in a Region. */
interface Rate {
  /** The calls that share the rate. */
  readonly calls: readonly Called[]
  readonly perSecond: number
}
interface Called {
  readonly operation: string
  readonly specs?: readonly KeySpec[]
  readonly input?: Readonly<Record<string, string>>
}

const region = 'sa-east-1'
const replicaRegions = [
  'ca-central-1',
  'eu-west-3',
  'us-west-1',
  'ap-south-1',
  'eu-north-1',
  'eu-west-1',
]

const ofKind = (prefix: string): readonly KeySpec[] =>
  (Object.keys(keySpecs) as KeySpec[]).filter((spec) => spec.startsWith(prefix)) // the table's own keys

function sharedBy(operations: readonly string[], specs: readonly KeySpec[]): readonly Called[] {
  return operations.flatMap((operation) => specs.map((spec) => ({ operation, specs: [spec] })))
}

function ratesOf(profile: 'aws' | 'aws-2015'): readonly Rate[] {
  const own = profile === 'aws' ? today : { ...today, ...named2015 }
  // Each call goes to another second Region, so that its quota there does not end the test.
  const inputs = replicaRegions.map((place) => ({ ReplicaRegion: place, PrimaryRegion: place }))
  const symmetric = sharedBy(symmetricOperations, ['SYMMETRIC_DEFAULT'])
  const mac = sharedBy(macs, ofKind('HMAC_'))
  return [
    ...Object.entries(own).map(([operation, perSecond]) => ({
      calls: inputs.map((input) => ({ operation, input })),
      perSecond,
    })),
    ...(profile === 'aws'
      ? [{ calls: [...symmetric, ...mac], perSecond: 10_000 }]
      : [
          { calls: symmetric, perSecond: 100 },
          { calls: mac, perSecond: 10_000 },
        ]),
    {
      calls: sharedBy(['Encrypt', 'Decrypt', 'ReEncrypt', 'Sign', 'Verify'], ofKind('RSA_')),
      perSecond: 1000,
    },
    { calls: sharedBy(['Sign', 'Verify', 'DeriveSharedSecret'], ofKind('ECC_')), perSecond: 1000 },
    { calls: sharedBy(['Sign', 'Verify'], ofKind('ML_DSA_')), perSecond: 1000 },
    { calls: sharedBy(['Encapsulate', 'Decapsulate'], ofKind('ML_KEM_')), perSecond: 1000 },
    ...Object.entries(pairs).map(([KeyPairSpec, perSecond]) => ({
      calls: ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'].map((operation) => ({
        operation,
        input: { KeyPairSpec },
        specs: ['SYMMETRIC_DEFAULT' as const],
      })),
      perSecond,
    })),
  ]
}

function opened(profile: Profile): {
  readonly pass: (ms: number) => void
  readonly admit: (call: Called, at?: string, account?: string) => void
} {
  let now = 7000
  const regions = createRegionTable()
  const throttle = createThrottle(createQuotas(profile), { monotonic: () => now, regions })
  return {
    pass: (ms) => void (now += ms),
    admit: ({ operation, input = {}, specs = [] }, at = region, account = 'one') => {
      throttle.admit(account, at, { service: 'kms', operation, input, specs })
    },
  }
}

for (const profile of ['aws', 'aws-2015'] as const) {
  for (const { calls, perSecond } of ratesOf(profile)) {
    const [first] = calls
    assert(first)
    const { operation, input, specs } = first
    const of = input?.['KeyPairSpec'] ?? specs?.[0] ?? ''
    test(`${profile}: ${operation} ${of}: ${perSecond} a second, and not one more`, () => {
      const { admit, pass } = opened(profile)
      const call = (index: number): Called => calls[index % calls.length] ?? first
      const fill = (): void => {
        for (let index = 0; index < perSecond; index += 1) admit(call(index))
        for (const each of calls) assert.throws(() => admit(each), tooFast)
      }
      fill()
      // Other accounts have their own.
      admit(first, region, 'two')
      admit(first, 'me-south-1')
      // A refused call costs nothing, and the next token comes after its part of a second.
      pass(1000 / perSecond / 2)
      assert.throws(() => admit(first), tooFast)
      pass(1000 / perSecond / 2 + 1e-6)
      admit(call(1))
      assert.throws(() => admit(first), tooFast)
      // A pause of any length is worth one second.
      pass(86_400_000)
      fill()
    })
  }
}

test('aws: a Region has AWS’s rate of it', () => {
  const quotas = createQuotas('aws')
  const places = [
    ...largest.map((place) => [place, 100_000] as const),
    ...larger.map((place) => [place, 20_000] as const),
    ...['sa-east-1', 'cn-north-1', 'us-gov-west-1', 'eu-home-1'].map((at) => [at, 10_000] as const),
  ]
  for (const [place, rate] of places)
    assert.equal(quotas.rateOf('cryptographic-symmetric', place), rate)
  const chinese = [
    ['RSA_2048', 1],
    ['RSA_3072', 0.5],
    ['RSA_4096', 0.1],
    ['ECC_NIST_P256', 100],
  ] as const
  for (const [spec, rate] of chinese) {
    assert.equal(quotas.rateOf(`GenerateDataKeyPair-${spec}`, 'cn-northwest-1'), rate)
  }
})

for (const profile of ['aws', 'aws-2015'] as const) {
  test(`${profile}: no operation of KMS, and no pair of any spec, is without a quota`, () => {
    const rates = ratesOf(profile)
    const tried = new Set(rates.flatMap(({ calls }) => calls.map(({ operation }) => operation)))
    for (const { name } of kmsRegistry.values()) assert(tried.has(name), name)
    const spec = kmsRegistry.get('kms:GenerateDataKeyPair')?.input['KeyPairSpec']?.limits.values
    assert.deepEqual(spec?.toSorted(), Object.keys(pairs).toSorted())
    // The tables above cover every quota.
    const elsewhere = new Set(
      [...cloudtrailRegistry.values(), ...cloudwatchRegistry.values()].map(({ name }) => name),
    )
    for (const service of ['iam', 'sts', 'kms-xks-proxy', 'custom-key-store'])
      elsewhere.add(service)
    const groups = createQuotas(profile).groups.filter((group) => !elsewhere.has(group))
    assert.equal(groups.length, rates.length, groups.join(' '))
  })
}
