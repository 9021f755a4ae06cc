/** What crosses to other implementations: keys, and each algorithm that signs a digest. @module */
import type { SigningAlgorithm } from '../../../src/crypto/algorithms/table.ts'
import { algorithms } from '../../../src/crypto/algorithms/table.ts'
import type { KeySpec } from '../../../src/model/key.ts'
import type { OpenedPair } from './keys.ts'
import { generatePair } from './keys.ts'

export interface HashedCase {
  readonly spec: KeySpec
  readonly row: SigningAlgorithm
  readonly scheme: 'ecdsa' | 'pss' | 'pkcs1'
  readonly hash: string
  readonly key: OpenedPair
}

const specs: readonly KeySpec[] = [
  'RSA_2048',
  'RSA_3072',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
]

export const hashedCases: readonly HashedCase[] = specs.flatMap((spec) => {
  const key = generatePair(spec)
  return algorithms
    .filter((row) => row.usage === 'SIGN_VERIFY')
    .filter((row) => row.fits(spec))
    .map((row) => ({ spec, row, scheme: schemeOf(row), hash: `sha${row.name.slice(-3)}`, key }))
})

function schemeOf(row: SigningAlgorithm): HashedCase['scheme'] {
  if (row.name.startsWith('ECDSA')) return 'ecdsa'
  return row.name.includes('PSS') ? 'pss' : 'pkcs1'
}
