/** Keys for tests: opened from freshly generated material, as a key store opens them. @module */
import type { KeyObject } from 'node:crypto'
import type { KeyPair } from '../../../src/crypto/algorithms/key-forms.ts'
import {
  generateKeyPair,
  openMaterial,
  publicKeyOf,
} from '../../../src/crypto/algorithms/key-forms.ts'
import type { KeySpec } from '../../../src/model/key.ts'

export interface OpenedPair {
  readonly material: KeyPair
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function generatePair(spec: KeySpec): OpenedPair {
  const material = generateKeyPair(spec)
  const privateKey = openMaterial(spec, material.privateKey)
  return { material, privateKey, publicKey: publicKeyOf(privateKey) }
}
