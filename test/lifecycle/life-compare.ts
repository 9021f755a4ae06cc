/**
 * Compares a real key with the model of its life: its metadata, and that its proofs hold exactly while
 * the key can be used.
 */
import assert from 'node:assert/strict'
import {
  DescribeKeyCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  type KeyMetadata,
} from '@aws-sdk/client-kms'
import { call } from './life-calls.ts'
import { complete, needed, waiting, type Life, type Material } from './life-model.ts'
import { outcomeOf, type LivingKey } from './living-key.ts'
import type { Proof } from './life-proofs.ts'

/**
 * Everything that can be said about a key in one Region, in the same words for the model and the
 * server.
 */
interface Said {
  readonly state: string | undefined
  readonly enabled: boolean | undefined
  readonly windowDays: number | undefined
  readonly expirationModel: string | undefined
  readonly primary: string | undefined
  readonly replicas: readonly (string | undefined)[] | undefined
  readonly rotates: boolean | undefined
  readonly periodDays: number | undefined
  readonly inProgress: boolean
  readonly current: string | undefined
  /** One line for each material. */
  readonly materials: readonly string[]
}

type Dates = Readonly<Record<'deletion' | 'validTo' | 'next', number | undefined>>

/** @param toleranceMs the greatest allowed difference of dates */
export async function compareLife(
  key: LivingKey,
  life: Life,
  places: readonly string[],
  toleranceMs: number,
): Promise<void> {
  await Promise.all(
    places.map(async (place) => {
      if (!life.keys.has(place)) {
        const { keyId: KeyId } = key
        const outcome = await outcomeOf(key.client(place).send(new DescribeKeyCommand({ KeyId })))
        return assert.equal(outcome, 'NotFoundException', `a key in ${place}`)
      }
      const [real, dates] = await saidByServer(key, place)
      const [expected, expectedDates] = saidByModel(key, life, place)
      const where = `${key.kind.spec} ${key.kind.origin} in ${place}`
      assert.deepEqual(real, expected, where)
      for (const [name, date] of Object.entries(expectedDates)) {
        const told = dates[name as keyof Dates]
        const apart = Math.abs((told ?? 0) - (date ?? 0))
        assert(apart <= toleranceMs, `${where}: ${name} is ${told}, not ${date}`)
      }
    }),
  )
}

async function saidByServer(key: LivingKey, place: string): Promise<readonly [Said, Dates]> {
  const { keyId: KeyId, kind } = key
  const kms = key.client(place)
  const symmetric = kind.spec === 'SYMMETRIC_DEFAULT'
  const input = { KeyId, Limit: 1000, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  const described = kms.send(new DescribeKeyCommand({ KeyId }))
  const { KeyMetadata } = await described.catch((error: Error) => {
    if (error.name === 'NotFoundException') assert.fail(`no key in ${place}`)
    throw error
  })
  const [status, list] = await Promise.all([
    kms.send(new GetKeyRotationStatusCommand({ KeyId })),
    symmetric ? kms.send(new ListKeyRotationsCommand(input)) : undefined,
  ])
  const metadata: Partial<KeyMetadata> = KeyMetadata ?? {}
  const { PrimaryKey, ReplicaKeys } = metadata.MultiRegionConfiguration ?? {}
  const materials = (list?.Rotations ?? []).map((each) =>
    [
      each.KeyMaterialId,
      each.KeyMaterialState,
      each.ImportState ?? '-',
      each.ValidTo?.toISOString() ?? '-',
    ].join(' '),
  )
  return [
    {
      state: metadata.KeyState,
      enabled: metadata.Enabled,
      windowDays: metadata.PendingDeletionWindowInDays,
      expirationModel: metadata.ExpirationModel,
      primary: PrimaryKey?.Region,
      replicas: ReplicaKeys?.map(({ Region }) => Region),
      rotates: status.KeyRotationEnabled,
      periodDays: status.RotationPeriodInDays,
      inProgress: status.OnDemandRotationStartDate !== undefined,
      current: metadata.CurrentKeyMaterialId,
      materials,
    },
    {
      deletion: metadata.DeletionDate?.getTime(),
      validTo: metadata.ValidTo?.getTime(),
      next: status.NextRotationDate?.getTime(),
    },
  ]
}

function saidByModel(key: LivingKey, life: Life, place: string): readonly [Said, Dates] {
  const own = life.keys.get(place) ?? assert.fail(place)
  const { multiRegion } = life.kind
  const shown = own.state === 'PendingDeletion' ? undefined : life.schedule
  const symmetric = life.kind.spec === 'SYMMETRIC_DEFAULT'
  const current = life.materials.find(({ role }) => role === 'CURRENT')
  const expires = expirationIn(life, place)
  const told = symmetric && own.state !== 'Creating' ? current : undefined
  return [
    {
      state: own.state,
      enabled: own.state === 'Enabled',
      windowDays: own.state === 'PendingReplicaDeletion' ? own.windowDays : undefined,
      expirationModel:
        expires === undefined
          ? undefined
          : `KEY_MATERIAL_${expires === Infinity ? 'DOES_NOT_EXPIRE' : 'EXPIRES'}`,
      primary: multiRegion ? life.primary : undefined,
      replicas: multiRegion
        ? [...life.keys.keys()].filter((one) => one !== life.primary).toSorted()
        : undefined,
      rotates: shown !== undefined,
      periodDays: shown?.days,
      inProgress: life.startedAt !== undefined,
      current: told && materialId(key, told),
      materials: symmetric ? life.materials.map((one) => lineOf(key, life, place, one)) : [],
    },
    {
      deletion: own.state === 'PendingDeletion' ? own.deletesAt : undefined,
      validTo: expires === Infinity ? undefined : expires,
      next: shown?.next,
    },
  ]
}

/** The time until which an imported key has all its material in a Region. */
function expirationIn(life: Life, place: string): number | undefined {
  if (life.kind.origin === 'AWS_KMS' || !complete(life, place)) return undefined
  return Math.min(...needed(life).map(({ imported }) => imported.get(place) ?? 0))
}

function lineOf(key: LivingKey, life: Life, place: string, material: Material): string {
  const { role, imported, expired } = material
  const waits = life.ready ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  const validTo = imported.get(place) ?? expired.get(place)
  const importState = validTo === undefined ? 'PENDING_IMPORT' : 'IMPORTED'
  return [
    materialId(key, material),
    material === waiting(life) ? waits : role,
    life.kind.origin === 'EXTERNAL' ? importState : '-',
    validTo === undefined || validTo === Infinity ? '-' : new Date(validTo).toISOString(),
  ].join(' ')
}

function materialId({ materialIds }: LivingKey, { name }: Material): string {
  return materialIds.get(name) ?? assert.fail(`the id of ${name} is not known`)
}

/** Learns the ids of materials that the server generates, all of which must differ. */
export async function learnMaterials(key: LivingKey, life: Life): Promise<void> {
  const { keyId: KeyId, materialIds, kind } = key
  const unknown = life.materials.filter(({ name }) => !materialIds.has(name))
  if (kind.spec !== 'SYMMETRIC_DEFAULT' || unknown.length === 0 || life.keys.size === 0) return
  const input = { KeyId, Limit: 1000, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' } as const
  const kms = key.client(life.primary)
  const { Rotations = [] } = await kms.send(new ListKeyRotationsCommand(input))
  assert.equal(Rotations.length, life.materials.length, `materials of ${KeyId}`)
  for (const [index, { name }] of life.materials.entries()) {
    const id = Rotations[index]?.KeyMaterialId ?? assert.fail('material without an id')
    assert.equal(materialIds.get(name) ?? id, id)
    materialIds.set(name, id)
  }
  assert.equal(new Set(materialIds.values()).size, materialIds.size)
}

/** Checks a proof in a Region: its expected answer, or the expected refusal. */
export async function compareProof(
  key: LivingKey,
  life: Life,
  proof: Proof,
  place: string,
  named = true,
): Promise<void> {
  const KeyId = named ? key.keyId : undefined
  const expected = provedIn(life, place) ?? proof.expected
  // A ciphertext of a missing key could belong to a key that the caller may not know about.
  const hidden = !named && expected === 'NotFoundException' ? 'AccessDeniedException' : expected
  let answer: string | undefined
  const refused = await outcomeOf(
    proof.again(key.client(place), KeyId).then((text) => (answer = text)),
  )
  assert.equal(refused ?? answer, hidden, `${key.kind.spec} made in ${proof.place}, in ${place}`)
}

const proving = {
  ENCRYPT_DECRYPT: 'Decrypt',
  SIGN_VERIFY: 'Verify',
  GENERATE_VERIFY_MAC: 'VerifyMac',
  KEY_AGREEMENT: 'DeriveSharedSecret',
  ENCAPSULATE_DECAPSULATE: 'Decapsulate',
} as const satisfies Readonly<Record<Life['kind']['usage'], string>>

/** Why a key proves nothing in a Region; undefined if it does. */
export function provedIn(life: Life, place: string): string | undefined {
  return call(life, proving[life.kind.usage], place)
}
