/**
 * Generates the keys of each spec, in AWS's encodings. Material is PKCS #8 DER for key pairs and
 * the plain bytes for HMAC keys; public keys are SubjectPublicKeyInfo DER. RSA uses e = 65537,
 * elliptic curves are named and include the public point in the private key, and ML-DSA and ML-KEM
 * keys are seeds.
 *
 * Generating a pair takes, on average in ms: RSA_2048 50, RSA_3072 140, RSA_4096 400 (sometimes
 * more than a second); P-256 0.1, secp256k1 0.3, P-384 0.6, P-521 1.4; Ed25519, ML-DSA and ML-KEM
 * 0.3 or less. Pairs are generated in crypto worker threads, RSA pairs in a separate one. HMAC keys
 * are random bytes and need no thread.
 * @see RFC 5208, RFC 5480, RFC 5915, RFC 8410, RFC 9881 (ML-DSA), RFC 9935 (ML-KEM)
 * @module
 */
import assert from 'node:assert/strict'
import type { AsymmetricKeyDetails, AsymmetricKeyType, KeyObject } from 'node:crypto'
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto'
import type { KeySpec } from '../../model/key.ts'
import { keySpecs } from '../key-specs.ts'
import { curveOf, encodePrivateKey, exportPoint, exportScalar } from './curves.ts'

export interface KeyPair {
  /** PKCS #8, DER. The caller overwrites it when done. */
  readonly privateKey: Buffer
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer
}

interface PairForm {
  readonly type: AsymmetricKeyType
  /** Details that the key object must have in addition to its type. */
  readonly details: AsymmetricKeyDetails
  readonly generate: () => { readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  readonly encode: (privateKey: KeyObject) => Buffer
}

const pairForms: ReadonlyMap<KeySpec, PairForm> = new Map([
  ['RSA_2048', rsaForm(2048)],
  ['RSA_3072', rsaForm(3072)],
  ['RSA_4096', rsaForm(4096)],
  ['ECC_NIST_P256', curveForm('prime256v1')],
  ['ECC_NIST_P384', curveForm('secp384r1')],
  ['ECC_NIST_P521', curveForm('secp521r1')],
  ['ECC_SECG_P256K1', curveForm('secp256k1')],
  ['ECC_NIST_EDWARDS25519', plainForm('ed25519', () => generateKeyPairSync('ed25519'))],
  ['ML_DSA_44', plainForm('ml-dsa-44', () => generateKeyPairSync('ml-dsa-44'))],
  ['ML_DSA_65', plainForm('ml-dsa-65', () => generateKeyPairSync('ml-dsa-65'))],
  ['ML_DSA_87', plainForm('ml-dsa-87', () => generateKeyPairSync('ml-dsa-87'))],
  ['ML_KEM_512', plainForm('ml-kem-512', () => generateKeyPairSync('ml-kem-512'))],
  ['ML_KEM_768', plainForm('ml-kem-768', () => generateKeyPairSync('ml-kem-768'))],
  ['ML_KEM_1024', plainForm('ml-kem-1024', () => generateKeyPairSync('ml-kem-1024'))],
])

/** All key specs of key pairs. */
export const pairSpecs: readonly KeySpec[] = [...pairForms.keys()]

/** All key specs of HMAC keys. */
export const macSpecs: readonly KeySpec[] = (Object.keys(keySpecs) as KeySpec[]).filter(
  (spec) => keySpecs[spec].kind === 'HMAC',
)

/** Generates a key pair. Slow: call it in the crypto worker thread. */
export function generateKeyPair(spec: KeySpec): KeyPair {
  const form = formOf(spec)
  const { privateKey, publicKey } = form.generate()
  return { privateKey: form.encode(privateKey), publicKey: publicKeyDer(publicKey) }
}

/** Generates an HMAC key as long as its digest. The caller overwrites it when done. */
export function generateMacKey(spec: KeySpec): Buffer {
  const { kind, material } = keySpecs[spec]
  assert(kind === 'HMAC' && material.encoding === 'raw', 'the key spec is not of an HMAC key')
  return randomBytes(material.bytes)
}

/**
 * Turns generated or imported material into a key object: a private key for key pairs, a secret key
 * for HMAC.
 * @throws {Error} if the bytes are not a key of the spec, which cannot happen for authentic
 * material
 */
export function openMaterial(spec: KeySpec, material: Uint8Array): KeyObject {
  if (keySpecs[spec].kind === 'HMAC') return createSecretKey(material)
  const form = formOf(spec)
  const key = createPrivateKey({
    key: Buffer.from(material.buffer, material.byteOffset, material.byteLength),
    format: 'der',
    type: 'pkcs8',
  })
  assert(key.asymmetricKeyType === form.type, 'material is of another type of key')
  assert(matches(key, form.details), 'material is of another key spec')
  return key
}

/** Returns the public half of a private key. */
export function publicKeyOf(privateKey: KeyObject): KeyObject {
  return createPublicKey(privateKey)
}

/** Returns SubjectPublicKeyInfo, DER, of a public key or of a private key's public half. */
export function publicKeyDer(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  return publicKey.export({ format: 'der', type: 'spki' })
}

function formOf(spec: KeySpec): PairForm {
  const form = pairForms.get(spec)
  assert(form !== undefined, 'the key spec is not of a key pair')
  return form
}

function matches(key: KeyObject, details: AsymmetricKeyDetails): boolean {
  const own = key.asymmetricKeyDetails
  return own?.modulusLength === details.modulusLength && own?.namedCurve === details.namedCurve
}

function rsaForm(modulusLength: number): PairForm {
  const generate = (): ReturnType<PairForm['generate']> =>
    generateKeyPairSync('rsa', { modulusLength, publicExponent: 65537 })
  return { type: 'rsa', details: { modulusLength }, generate, encode: encodePkcs8 }
}

function curveForm(namedCurve: string): PairForm {
  const generate = (): ReturnType<PairForm['generate']> => generateKeyPairSync('ec', { namedCurve })
  return { type: 'ec', details: { namedCurve }, generate, encode: encodeCurveKey }
}

function plainForm(type: AsymmetricKeyType, generate: PairForm['generate']): PairForm {
  return { type, details: {}, generate, encode: encodePkcs8 }
}

function encodePkcs8(privateKey: KeyObject): Buffer {
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

function encodeCurveKey(privateKey: KeyObject): Buffer {
  const scalar = exportScalar(privateKey)
  try {
    return encodePrivateKey(curveOf(privateKey), scalar, exportPoint(privateKey))
  } finally {
    scalar.fill(0)
  }
}
