/** Checks all combinations of spec, usage, origin and Region in CreateKey. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySpec, KeyUsageType, OriginType } from '@aws-sdk/client-kms'
import { KmsError } from '../../../src/errors.ts'
import { type KeyRequest, requireNewKey } from '../../../src/operations/kms/new-key.ts'

const usagesOf: Readonly<Record<Exclude<KeySpec, 'SM2'>, readonly KeyUsageType[]>> = {
  SYMMETRIC_DEFAULT: ['ENCRYPT_DECRYPT'],
  RSA_2048: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  RSA_3072: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  RSA_4096: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
  ECC_NIST_P256: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
  ECC_NIST_P384: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
  ECC_NIST_P521: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
  ECC_SECG_P256K1: ['SIGN_VERIFY'],
  ECC_NIST_EDWARDS25519: ['SIGN_VERIFY'],
  ML_DSA_44: ['SIGN_VERIFY'],
  ML_DSA_65: ['SIGN_VERIFY'],
  ML_DSA_87: ['SIGN_VERIFY'],
  ML_KEM_512: ['ENCAPSULATE_DECAPSULATE'],
  ML_KEM_768: ['ENCAPSULATE_DECAPSULATE'],
  ML_KEM_1024: ['ENCAPSULATE_DECAPSULATE'],
  HMAC_224: ['GENERATE_VERIFY_MAC'],
  HMAC_256: ['GENERATE_VERIFY_MAC'],
  HMAC_384: ['GENERATE_VERIFY_MAC'],
  HMAC_512: ['GENERATE_VERIFY_MAC'],
}

const storeOf: Readonly<Record<OriginType, object>> = {
  AWS_KMS: {},
  EXTERNAL: {},
  AWS_CLOUDHSM: { CustomKeyStoreId: 'cks-1' },
  EXTERNAL_KEY_STORE: { CustomKeyStoreId: 'cks-1', XksKeyId: 'key-1' },
}

type Asked = KeyRequest & { readonly KeySpec: KeySpec; readonly Origin: OriginType }

const everything: readonly Asked[] = Object.values(KeySpec).flatMap((spec) =>
  [undefined, ...Object.values(KeyUsageType)].flatMap((usage) =>
    Object.values(OriginType).flatMap((origin) =>
      [false, true].map((multiRegion) => ({
        KeySpec: spec,
        ...(usage !== undefined && { KeyUsage: usage }),
        Origin: origin,
        MultiRegion: multiRegion,
        ...storeOf[origin],
      })),
    ),
  ),
)

/** AWS's error for an invalid combination; undefined for a valid one, supported by Trent or not. */
function refusal({ KeySpec: spec, KeyUsage, Origin, MultiRegion }: Asked): string | undefined {
  if (spec === 'SM2')
    return 'UnsupportedOperationException: KeySpec SM2 is not supported in this Region'
  if (KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    const sentence = 'You must specify a KeyUsage value for all KMS keys except for'
    return `ValidationException: ${sentence} symmetric encryption keys.`
  }
  if (!usagesOf[spec].includes(KeyUsage ?? 'ENCRYPT_DECRYPT')) {
    return `ValidationException: KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`
  }
  const custom = Origin === 'AWS_CLOUDHSM' || Origin === 'EXTERNAL_KEY_STORE'
  const postQuantum = spec.startsWith('ML_')
  if (Origin === 'EXTERNAL' && postQuantum) {
    return `ValidationException: KeySpec ${spec} is not supported for Origin ${Origin}`
  }
  if (custom && spec !== 'SYMMETRIC_DEFAULT') {
    return `ValidationException: KeySpec ${spec} is not compatible with Origin ${Origin}`
  }
  if (custom && MultiRegion === true) {
    return `ValidationException: MultiRegion is not compatible with Origin ${Origin}`
  }
  return undefined
}

test('every combination of spec, usage, origin and Region is a key, or refused for its own reason', () => {
  assert.equal(everything.length, 20 * 6 * 4 * 2)
  let keys = 0
  for (const asked of everything) {
    const said = answerOf(asked)
    const wanted = refusal(asked)
    if (wanted !== undefined) assert.equal(said, wanted, JSON.stringify(asked))
    else {
      keys += 1
      // A valid combination that Trent does not support is never called invalid.
      assert.match(said, /^made|^UnsupportedOperationException: .* are not supported$/)
      const inStore = asked.Origin === 'AWS_KMS' || asked.Origin === 'EXTERNAL'
      if (inStore) assert.equal(said, 'made', JSON.stringify(asked))
    }
  }
  // 26 with Origin AWS_KMS and 20 with EXTERNAL, each in one Region or several; two for each custom store.
  assert.equal(keys, 2 * 26 + 2 * 20 + 2 * 2)
})

function answerOf(asked: Asked): string {
  try {
    requireNewKey(asked)
    return 'made'
  } catch (error) {
    assert(error instanceof KmsError)
    return `${error.code}: ${error.message}`
  }
}
