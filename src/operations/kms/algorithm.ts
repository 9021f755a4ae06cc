/** Checks that a key supports the algorithm that a call names. @module */
import { algorithmNames } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { KeyRecord } from '../../model/key.ts'

/** Whether the key's spec supports the algorithm for the key's usage. */
export function hasAlgorithm(key: KeyRecord, asked: string): boolean {
  return algorithmNames(key.spec, key.usage).includes(asked)
}

/** @throws {KmsError} `InvalidKeyUsageException` when the key's spec has no such algorithm */
export function requireAlgorithm<A extends string>(key: KeyRecord, asked: A): A {
  if (hasAlgorithm(key, asked)) return asked
  throw new KmsError(
    'InvalidKeyUsageException',
    `Algorithm ${asked} is incompatible with key spec ${key.spec}.`,
  )
}
