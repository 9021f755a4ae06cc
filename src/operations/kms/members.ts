/** Input members that several operations share, with the limits of the `kms-2014-11-01` model. @module */
import { grantOperations } from '../../model/grant.ts'
import {
  blob,
  boolean,
  integer,
  list,
  oneOf,
  required,
  stringMap,
  structure,
  text,
} from '../../model/shape.ts'

/** A key id, key ARN, alias name or alias ARN, depending on the operation. */
export const keyId = text({ min: 1, max: 2048, pattern: '^\\p{ASCII}+$' })
export const requiredKeyId = required(keyId)
export const encryptionContext = stringMap()
export const grantToken = text({ min: 1, max: 8192 })
export const grantTokens = list(grantToken, { max: 10 })
export const grantId = text({ min: 1, max: 128 })
/** The id of a key material. */
export const keyMaterialId = text({ min: 64, max: 64, pattern: '^[a-f0-9]+$' })
export const grantName = text({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' })
/** AWS's model has no maximum; this one is far above the number of operations. */
export const grantOperationList = list(oneOf(grantOperations), { max: 100 })
export const grantConstraints = structure({
  EncryptionContextSubset: stringMap(),
  EncryptionContextEquals: stringMap(),
  SourceArn: text({
    min: 20,
    max: 512,
    pattern: '^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$',
  }),
})
/** The ARN of a principal, or its unique id. */
export const principal = text({ min: 1, max: 256, pattern: '^[\\w+=,.@:/-]+$' })
export const servicePrincipal = text({
  min: 1,
  max: 128,
  pattern: '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$',
})
export const dryRun = boolean()
export const dryRunModifiers = list(oneOf(['IGNORE_CIPHERTEXT']), { max: 10 })
export const ciphertext = blob({ min: 1, max: 6144 })
/** In the order of AWS's message. */
export const encryptionAlgorithm = oneOf([
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'SM2PKE',
  'SYMMETRIC_DEFAULT',
])
/** Sensitive: AWS treats every signed or authenticated message so. */
export const message = blob({ min: 1, max: 4096, sensitive: true })
export const messageType = oneOf(['RAW', 'DIGEST', 'EXTERNAL_MU'])
export const signature = blob({ min: 1, max: 6144 })
const signingAlgorithms = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
] as const
/** AWS accepts this value, omits it from its message, and then refuses it for every key. */
const unprinted = 'SYMMETRIC_DEFAULT' as (typeof signingAlgorithms)[number]
export const signingAlgorithm = oneOf([...signingAlgorithms, unprinted], signingAlgorithms)
export const mac = blob({ min: 1, max: 6144 })
export const macAlgorithm = oneOf(['HMAC_SHA_384', 'HMAC_SHA_256', 'HMAC_SHA_224', 'HMAC_SHA_512'])
export const keyAgreementAlgorithm = oneOf(['ECDH'])
export const encapsulationAlgorithm = oneOf(['ML_KEM'])
/** SubjectPublicKeyInfo, DER. */
export const publicKey = blob({ min: 1, max: 8192 })
export const keyPairSpec = oneOf([
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'SM2',
  'ECC_NIST_EDWARDS25519',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
])
export const numberOfBytes = integer({ min: 1, max: 1024 })
export const customKeyStoreId = text({ min: 1, max: 64 })
export const description = text({ min: 0, max: 8192 })
export const policy = text({
  min: 1,
  max: 131_072,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+',
})
export const regionName = text({ min: 1, max: 32, pattern: '^([a-z]+-){2,3}\\d+$' })
export const policyName = text({ min: 1, max: 128, pattern: '[\\w]+' })
export const aliasName = text({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' })
export const tagKey = text({ min: 1, max: 128 })
/** AWS's model has no maximum. Far above the quota, this avoids one message for each item. */
const tagListMax = 1000
export const tags = list(
  structure({ TagKey: required(tagKey), TagValue: required(text({ min: 0, max: 256 })) }),
  { max: tagListMax },
)
export const tagKeys = list(tagKey, { max: tagListMax })
export const marker = text({ min: 1, max: 1024, pattern: '[\\u0020-\\u00FF]*' })
/** An attestation document, and how to encrypt the response for the attested recipient. */
export const recipient = structure({
  KeyEncryptionAlgorithm: oneOf(['RSAES_OAEP_SHA_256']),
  AttestationDocument: blob({ min: 1, max: 262_144 }),
})
