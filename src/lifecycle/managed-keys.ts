/**
 * Creates AWS managed keys when they are first requested: the key, its alias, its material and the
 * record of the event in one transaction, even if the call that requested it fails later.
 *
 * INVARIANT (one key for each alias): if two are created at once, the later one is discarded, and its
 * creator uses the other.
 * @module
 */
import type { KeyStore } from '../keystores/keystore.ts'
import type { Clock, Random } from '../model/clock.ts'
import type { AliasRef, KeyRecord } from '../model/key.ts'
import {
  managedKeyDescription,
  managedKeyPolicy,
  type ManagedKeyKind,
} from '../model/managed-key.ts'
import { defaultRotationDays, rotationFrom } from '../model/rotation.ts'
import { DuplicateRow } from '../store/store.ts'
import type { ServiceChanges } from './service-changes.ts'

/** A key that would be created on request. */
export interface UnmadeKey {
  readonly alias: AliasRef
  readonly kind: ManagedKeyKind
  readonly partition: string
}

/** Creates the key unless another call has; resolves when it exists and its record is durable. */
export type MakeManagedKey = (unmade: UnmadeKey, signal: AbortSignal) => Promise<void>

export interface ManagedKeyDependencies {
  readonly changes: ServiceChanges
  readonly keyStoreOf: (key: Pick<KeyRecord, 'origin'>) => Pick<KeyStore, 'createMaterial'>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'uuid'>
}

const made = { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', origin: 'AWS_KMS' } as const

/** The record of such a key, without its id and its material. */
export function managedKeyRecord(
  { alias, kind, partition }: UnmadeKey,
  createdAt: number,
): Omit<KeyRecord, 'keyId' | 'rowVersion' | 'currentMaterialId'> {
  const { accountId, region } = alias
  return {
    accountId,
    region,
    ...made,
    manager: 'AWS',
    state: 'Enabled',
    description: managedKeyDescription(kind),
    createdAt,
    // Every year from its creation; nobody can turn this off.
    ...rotationFrom(createdAt, defaultRotationDays),
    policy: managedKeyPolicy(kind, { partition, accountId, region }),
    // The policy names only accounts and services.
    policyPrincipals: {},
    tags: [],
  }
}

export function createManagedKeys(dependencies: ManagedKeyDependencies): MakeManagedKey {
  const { changes, keyStoreOf, clock, random } = dependencies
  return async (unmade, signal) => {
    const { accountId, region, name } = unmade.alias
    const createdAt = clock.now()
    const ref = { accountId, region, keyId: random.uuid() }
    const place = { ...ref, ...made, createdAt }
    const material = await keyStoreOf(made).createMaterial(place, signal)
    const { materialId } = material
    const commit = changes.commit(async (transaction) => {
      if ((await transaction.findAlias(unmade.alias)) !== undefined) return []
      const key = await transaction.insertKey({
        ...managedKeyRecord(unmade, createdAt),
        keyId: ref.keyId,
        currentMaterialId: materialId,
      })
      await transaction.insertMaterial(material)
      await transaction.insertMaterialState({ ...ref, materialId, ordinal: 1, state: 'CURRENT' })
      const alias = { accountId, region, name, targetKeyId: ref.keyId }
      await transaction.insertAlias({ ...alias, createdAt, updatedAt: createdAt })
      return [{ eventName: 'CreateKey', key, details: { keyId: ref.keyId, aliasName: name } }]
    })
    await commit.catch((error: unknown) => {
      // Another transaction has created it meanwhile.
      if (!(error instanceof DuplicateRow)) throw error
    })
  }
}
