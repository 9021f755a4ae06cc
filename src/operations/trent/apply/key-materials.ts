/**
 * Prepares the key materials of a document before the transaction, because generating pairs is slow. Fixed
 * materials are checked and wrapped; materials of new keys are generated.
 * @module
 */
import { keySpecs } from '../../../crypto/key-specs.ts'
import type { KeyRef, MaterialRecord } from '../../../model/key.ts'
import { requireNewKey, type NewKey } from '../../kms/new-key.ts'
import type { ApplyDocument, KeyEntry } from './document.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import type { Call } from '../../contract/call.ts'
import type { OperationDependencies } from '../../contract/dependencies.ts'

type MaterialCall = Pick<Call<unknown, never>, 'keyStoreOf' | 'signal'>

/** The settings and materials of a key in the document; the current material is the last. */
export interface PreparedKey extends NewKey {
  /** Empty if the material is imported later, and for an existing key. */
  readonly materials: readonly MaterialRecord[]
  /** Whether the document fixes the material. */
  readonly fixed: boolean
}

/** Prepared keys by entry of the document. */
export type PreparedKeys = ReadonlyMap<KeyEntry, PreparedKey>

/** Generating one takes up to several seconds, and a call has thirty. */
const primePairsMax = 16

export async function prepareKeys(
  { accounts }: ApplyDocument,
  of: MaterialCall & { readonly region: string; readonly partition: string },
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
        ? await fixedMaterials(entry, { ...ref, ...made }, place, of, dependencies)
        : await newMaterial(ref, made, of, dependencies)
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
  throw refusalAt(place, `\`${region}\` is not a Region of the partition ${partition}`)
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
      'ids begin with mrk- if the key is multi-Region, and only then',
    )
  }
  const { replicas = [], material, earlierMaterials = [] } = entry
  if (replicas.length > 0 && (!multiRegion || made.origin === 'EXTERNAL')) {
    const message = 'are only for multi-Region keys with Origin AWS_KMS'
    throw refusalAt([...place, 'replicas'], message)
  }
  if (material !== undefined && !keySpecs[made.spec].importable) {
    throw refusalAt([...place, 'material'], `${made.spec} keys cannot have fixed material`)
  }
  const rotated = made.spec === 'SYMMETRIC_DEFAULT' && made.origin === 'AWS_KMS'
  if (earlierMaterials.length > 0 && (material === undefined || !rotated)) {
    const message = 'are only for symmetric keys with Origin AWS_KMS and a `material`'
    throw refusalAt([...place, 'earlierMaterials'], message)
  }
  const settings = entry.enableKeyRotation ?? entry.rotationPeriodInDays
  if (settings !== undefined && settings !== false && !rotated) {
    const message = 'is only for symmetric keys with Origin AWS_KMS'
    throw refusalAt([...place, 'enableKeyRotation'], message)
  }
  return made
}

async function fixedMaterials(
  { material, earlierMaterials = [] }: KeyEntry,
  key: KeyRef & NewKey,
  place: DocumentPath,
  call: MaterialCall,
  { clock }: OperationDependencies,
): Promise<readonly MaterialRecord[]> {
  const given = [
    ...earlierMaterials.map((bytes, index) => [bytes, ['earlierMaterials', index]] as const),
    ...(material === undefined ? [] : [[material, ['material']] as const]),
  ]
  const records: MaterialRecord[] = []
  for (const [bytes, member] of given) {
    const at = [...place, ...member]
    const record = await placed(at, () =>
      call.keyStoreOf(key).adoptMaterial({ ...key, createdAt: clock.now() }, bytes, call.signal),
    )
    if (records.some(({ materialId }) => materialId === record.materialId)) {
      throw refusalAt(at, 'is the same as another material of the key')
    }
    records.push(record)
  }
  return records
}

/** Generates material, unless the key exists or its material is to be imported. */
async function newMaterial(
  ref: KeyRef,
  made: NewKey,
  call: MaterialCall,
  { store, clock }: OperationDependencies,
): Promise<readonly MaterialRecord[]> {
  if (made.origin === 'EXTERNAL' || (await store.findKey(ref)) !== undefined) return []
  const place = { ...ref, ...made, createdAt: clock.now() }
  return [await call.keyStoreOf(made).createMaterial(place, call.signal)]
}
