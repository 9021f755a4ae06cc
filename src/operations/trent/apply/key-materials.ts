/**
 * Materials of the keys of a file: those that it fixes are checked and wrapped, those of keys that are yet
 * to be made are made, all before the transaction: pairs take their time.
 * @module
 */
import { keySpecs } from '../../../crypto/key-specs.ts'
import type { KeyRef, MaterialRecord } from '../../../model/key.ts'
import { requireNewKey, type NewKey } from '../../kms/new-key.ts'
import type { ApplyDocument, KeyEntry } from './document.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import type { OperationDependencies } from '../../contract/dependencies.ts'

/** What a key of the file is to be, and the materials it is to have, the current one last. */
export interface PreparedKey extends NewKey {
  /** Empty for imported material that is yet to come, and for a key that was there before. */
  readonly materials: readonly MaterialRecord[]
  /** Whether the file says what the material is. */
  readonly fixed: boolean
}

/** By entry of the file. */
export type PreparedKeys = ReadonlyMap<KeyEntry, PreparedKey>

/** Each takes up to some seconds, and a call has thirty. */
const primePairsMax = 16

export async function prepareKeys(
  { accounts }: ApplyDocument,
  of: { readonly region: string; readonly partition: string; readonly signal: AbortSignal },
  dependencies: OperationDependencies,
): Promise<PreparedKeys> {
  const prepared = new Map<KeyEntry, PreparedKey>()
  let primePairs = 0
  for (const [index, { accountId, keys = [] }] of accounts.entries()) {
    for (const [position, entry] of keys.entries()) {
      const place = ['accounts', index, 'keys', position]
      const { region = of.region, keyId } = entry
      requireServed(region, of.partition, dependencies, [...place, 'region'])
      const made = await requireKind(entry, place)
      const ref = { accountId, region, keyId }
      const fixed = entry.material !== undefined
      if (!fixed && made.origin === 'AWS_KMS' && isOfPrimes(made)) {
        if ((await dependencies.store.findKey(ref)) === undefined) primePairs += 1
        if (primePairs > primePairsMax) {
          const message = `more than ${primePairsMax} RSA keys would be made: apply fewer at a time`
          throw refusalAt(place, message, 'LimitExceededException')
        }
      }
      const materials = fixed
        ? await fixedMaterials(entry, { ...ref, ...made }, place, of.signal, dependencies)
        : await newMaterial(ref, made, of.signal, dependencies)
      prepared.set(entry, { ...made, materials, fixed })
    }
  }
  return prepared
}

function isOfPrimes({ spec }: NewKey): boolean {
  const { material } = keySpecs[spec]
  return material.encoding === 'pkcs8' && material.ofPrimes
}

export function requireServed(
  region: string,
  partition: string,
  { regions }: OperationDependencies,
  place: DocumentPath,
): void {
  if (regions.partitionOf(region) === partition) return
  throw refusalAt(place, `\`${region}\` is no Region of the partition ${partition}`)
}

async function requireKind(entry: KeyEntry, place: DocumentPath): Promise<NewKey> {
  const { keyId, keySpec, keyUsage, origin, multiRegion = false } = entry
  const made = await placed(place, () =>
    requireNewKey({
      ...(keySpec && { KeySpec: keySpec }),
      ...(keyUsage && { KeyUsage: keyUsage }),
      ...(origin && { Origin: origin }),
      MultiRegion: multiRegion,
    }),
  )
  if (keyId.startsWith('mrk-') !== multiRegion) {
    throw refusalAt(
      [...place, 'keyId'],
      'ids of multi-Region keys, and only theirs, begin with mrk-',
    )
  }
  const { replicas = [], material, earlierMaterials = [] } = entry
  if (replicas.length > 0 && (!multiRegion || made.origin === 'EXTERNAL')) {
    const message = 'are for multi-Region keys whose material is not imported'
    throw refusalAt([...place, 'replicas'], message)
  }
  if (material !== undefined && !keySpecs[made.spec].importable) {
    throw refusalAt([...place, 'material'], `keys of ${made.spec} cannot be given their material`)
  }
  const rotated = made.spec === 'SYMMETRIC_DEFAULT' && made.origin === 'AWS_KMS'
  if (earlierMaterials.length > 0 && (material === undefined || !rotated)) {
    const message = 'are for symmetric keys of Origin AWS_KMS that have a material'
    throw refusalAt([...place, 'earlierMaterials'], message)
  }
  const settings = entry.enableKeyRotation ?? entry.rotationPeriodInDays
  if (settings !== undefined && settings !== false && !rotated) {
    const message = 'is for symmetric keys of Origin AWS_KMS'
    throw refusalAt([...place, 'enableKeyRotation'], message)
  }
  return made
}

async function fixedMaterials(
  { material, earlierMaterials = [] }: KeyEntry,
  key: KeyRef & NewKey,
  place: DocumentPath,
  signal: AbortSignal,
  { keyStoreOf, clock }: OperationDependencies,
): Promise<readonly MaterialRecord[]> {
  const given = [
    ...earlierMaterials.map((bytes, index) => [bytes, ['earlierMaterials', index]] as const),
    ...(material === undefined ? [] : [[material, ['material']] as const]),
  ]
  const records: MaterialRecord[] = []
  for (const [bytes, member] of given) {
    const at = [...place, ...member]
    const record = await placed(at, () =>
      keyStoreOf(key).adoptMaterial({ ...key, createdAt: clock.now() }, bytes, signal),
    )
    if (records.some(({ materialId }) => materialId === record.materialId)) {
      throw refusalAt(at, 'is a material that the key has already')
    }
    records.push(record)
  }
  return records
}

/** None where the key is there, or where its material is to be imported. */
async function newMaterial(
  ref: KeyRef,
  made: NewKey,
  signal: AbortSignal,
  { store, keyStoreOf, clock }: OperationDependencies,
): Promise<readonly MaterialRecord[]> {
  if (made.origin === 'EXTERNAL' || (await store.findKey(ref)) !== undefined) return []
  const place = { ...ref, ...made, createdAt: clock.now() }
  return [await keyStoreOf(made).createMaterial(place, signal)]
}
