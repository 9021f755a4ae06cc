/**
 * The record of each operation, member by member, beside the samples that AWS's guides print. Ours follow
 * the newest form (eventVersion 1.11); what a sample has more or less is listed here, with its reason.
 * Source of the samples: the CloudTrail examples of the AWS KMS Developer Guide, of the years that
 * `test/vectors/records/golden.json` names; their members only, as they were printed.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { kmsRegistry } from '../../src/operations/kms/registry.ts'
import { startFakeProxy } from '../keystores/external/fake-proxy.ts'
import { noSoftHsm } from '../pkcs11/soft-hsm.ts'
import { goldenHsmRecords, inHsm } from './golden-hsm-story.ts'
import { goldenRecords, normalized } from './golden-story.ts'
import { openIdentities } from './identities.ts'

interface Golden {
  readonly record: object
  readonly sample?: {
    readonly source: string
    readonly eventVersion: string
    readonly members: readonly string[]
  }
}

const file = new URL('../vectors/records/golden.json', import.meta.url)
const goldens = new Map(
  Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, Golden>),
)
const proxy = await startFakeProxy()
after(() => proxy.stop())
const directory = await mkdtemp(join(tmpdir(), 'trent-test-'))
after(() => rm(directory, { recursive: true }))
const identities = await openIdentities(
  { after },
  { TRENT_TEST_API: 'on', ...proxy.settings(directory) },
)
const records = new Map(await goldenRecords(identities))
const skipHsm = noSoftHsm ?? false
if (skipHsm === false) {
  for (const [name, record] of await goldenHsmRecords({ after })) records.set(name, record)
}

test('every operation of AWS KMS has its record here, and so has every event of its own', () => {
  const missing = [...kmsRegistry.values()].filter(({ name }) => !goldens.has(name))
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
  for (const event of [
    'RotateKey',
    'DeleteKey',
    'DeleteExpiredKeyMaterial',
    'SynchronizeMultiRegionKey',
    'CreateKey (in another Region)',
    'UpdatePrimaryRegion (in another Region)',
  ]) {
    assert(goldens.has(event), event)
  }
})

for (const [name, { record }] of goldens) {
  test(`the record of ${name} is just this`, { skip: name.endsWith(inHsm) && skipHsm }, () => {
    const found = records.get(name)
    assert(found, 'the story leaves it')
    assert.deepEqual(normalized(found), record)
  })
}

const newer = 'records of an older eventVersion did not have it'
const materials = 'since 2025 records name the materials of symmetric keys'
const since2022 = 'since December 2022 what answers nothing else names its key'
const story = 'the call of the sample gave other parameters'
const session = 'the caller of the sample is a session'

/** What ours have more than a sample, and why. */
const more: Readonly<Record<string, string>> = {
  trent: 'Trent’s own: why each permission was given',
  managementEvent: newer,
  eventCategory: newer,
  additionalEventData: materials,
  keyMaterialId: materials,
  currentKeyMaterialId: materials,
  previousKeyMaterialId: materials,
  sourceKeyMaterialId: materials,
  destinationKeyMaterialId: materials,
  rotationType: 'since 2025 RotateKey says which rotation it was',
  keyOrigin: 'since 2025 RotateKey says which rotation it was',
  aWSAccountId: 'one sample writes AWSAccountId; all others, and ours, aWSAccountId',
  keyId: since2022,
  operations: story,
  retiringPrincipal: story,
  numberOfBytes: story,
  keySpec: story,
  sourceKeyId: story,
  rotationPeriodInDays: story,
  resources: 'the sample of the second record leaves its key out',
  ARN: 'the sample of the second record leaves its key out',
}

/** What a sample has more than ours, and why. */
const less: Readonly<Record<string, string>> = {
  AWSAccountId: 'one sample writes AWSAccountId; all others, and ours, aWSAccountId',
  sessionContext: session,
  attributes: session,
  creationDate: session,
  mfaAuthenticated: session,
  keySpec: story,
  numberOfBytes: story,
  marker: story,
  requestID: 'the service acts on no request: of its events one sample alone has an id of one',
}

test('what differs from a sample has a reason, and every reason is needed', () => {
  const used = new Set<string>()
  for (const [name, { record, sample }] of goldens) {
    if (sample === undefined) continue
    const ours = membersOf(record)
    const theirs = new Set(sample.members)
    for (const member of [...ours].filter((each) => !theirs.has(each))) {
      assert(Object.hasOwn(more, member), `${name} has ${member}, its sample has not`)
      used.add(`more ${member}`)
    }
    for (const member of [...theirs].filter((each) => !ours.has(each))) {
      assert(Object.hasOwn(less, member), `the sample of ${name} has ${member}, ours has not`)
      used.add(`less ${member}`)
    }
  }
  const reasons = [
    ...Object.keys(more).map((member) => `more ${member}`),
    ...Object.keys(less).map((member) => `less ${member}`),
  ]
  assert.deepEqual([...used].sort(), reasons.sort())
})

/** Names of all members, but of what a caller names himself. */
function membersOf(value: unknown, into = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) membersOf(item, into)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      into.add(name)
      const own = name === 'trent' || /^encryptionContext|EncryptionContext$/.test(name)
      if (!own) membersOf(member, into)
    }
  }
  return into
}
