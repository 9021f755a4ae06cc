/**
 * Every asymmetric, MAC and KEM algorithm: one row holds everything about it. Code that uses a row
 * names no algorithm. SYMMETRIC_DEFAULT is not here, because its ciphertexts are Trent's own
 * format. Within a key spec and usage, rows are in the order in which AWS lists them.
 *
 * `slow` lists the key specs for which a call takes about a millisecond or more; such calls run in
 * the crypto worker thread. The files of the methods have the measurements.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
 * @module
 */
import type { KeySpec, KeyUsage } from '../../model/key.ts'
import { ecdsaMethods } from './ecdsa.ts'
import { ed25519Methods, ed25519phMethods } from './ed25519.ts'
import type { HashFunction } from './hashes.ts'
import { sha1, sha224, sha256, sha384, sha512 } from './hashes.ts'
import { mlDsaMethods } from './ml-dsa.ts'
import { pkcs1Methods, pssMethods } from './rsa-signature.ts'
import type { MessageType, SignatureMethod } from './signature-method.ts'

interface Row {
  /** The name in requests and answers. */
  readonly name: string
  readonly usage: KeyUsage
  readonly specs: readonly KeySpec[]
  readonly fits: (spec: KeySpec) => boolean
}

export interface SigningAlgorithm extends Row {
  readonly usage: 'SIGN_VERIFY'
  /** Methods by message type; other types are refused. */
  readonly methods: ReadonlyMap<MessageType, SignatureMethod>
}

/**
 * RSAES-OAEP with MGF1 over the same hash and an empty label. Ciphertexts are as long as the
 * modulus.
 */
export interface EncryptionAlgorithm extends Row {
  readonly usage: 'ENCRYPT_DECRYPT'
  readonly hash: HashFunction
  readonly slow: { readonly decrypt: readonly KeySpec[] }
}

/** HMAC; the MAC is as long as the digest. Under 0.01 ms for 4096 bytes. */
export interface MacAlgorithm extends Row {
  readonly usage: 'GENERATE_VERIFY_MAC'
  readonly hash: HashFunction
}

/** The shared secret is the x coordinate, as wide as the field: 32, 48 or 66 bytes. */
export interface AgreementAlgorithm extends Row {
  readonly usage: 'KEY_AGREEMENT'
  readonly slow: { readonly derive: readonly KeySpec[] }
}

/** Secrets are 32 bytes. Under 0.1 ms either way, for all parameter sets. */
export interface KemAlgorithm extends Row {
  readonly usage: 'ENCAPSULATE_DECAPSULATE'
  /** By key spec. */
  readonly ciphertextBytes: ReadonlyMap<KeySpec, number>
}

export type Algorithm =
  | SigningAlgorithm
  | EncryptionAlgorithm
  | MacAlgorithm
  | AgreementAlgorithm
  | KemAlgorithm

const rsa: readonly KeySpec[] = ['RSA_2048', 'RSA_3072', 'RSA_4096']

const signing: readonly SigningAlgorithm[] = [
  signer('RSASSA_PKCS1_V1_5_SHA_256', rsa, pkcs1Methods(sha256)),
  signer('RSASSA_PKCS1_V1_5_SHA_384', rsa, pkcs1Methods(sha384)),
  signer('RSASSA_PKCS1_V1_5_SHA_512', rsa, pkcs1Methods(sha512)),
  signer('RSASSA_PSS_SHA_256', rsa, pssMethods(sha256)),
  signer('RSASSA_PSS_SHA_384', rsa, pssMethods(sha384)),
  signer('RSASSA_PSS_SHA_512', rsa, pssMethods(sha512)),
  signer('ECDSA_SHA_256', ['ECC_NIST_P256', 'ECC_SECG_P256K1'], ecdsaMethods(sha256)),
  signer('ECDSA_SHA_384', ['ECC_NIST_P384'], ecdsaMethods(sha384)),
  signer('ECDSA_SHA_512', ['ECC_NIST_P521'], ecdsaMethods(sha512)),
  signer('ED25519_PH_SHA_512', ['ECC_NIST_EDWARDS25519'], ed25519phMethods),
  signer('ED25519_SHA_512', ['ECC_NIST_EDWARDS25519'], ed25519Methods),
  signer('ML_DSA_SHAKE_256', ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'], mlDsaMethods),
]

const encryption: readonly EncryptionAlgorithm[] = [
  encrypter('RSAES_OAEP_SHA_1', sha1),
  encrypter('RSAES_OAEP_SHA_256', sha256),
]

const mac: readonly MacAlgorithm[] = [
  authenticator('HMAC_SHA_224', 'HMAC_224', sha224),
  authenticator('HMAC_SHA_256', 'HMAC_256', sha256),
  authenticator('HMAC_SHA_384', 'HMAC_384', sha384),
  authenticator('HMAC_SHA_512', 'HMAC_512', sha512),
]

const agreement: readonly AgreementAlgorithm[] = [
  {
    ...row('ECDH', ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521']),
    usage: 'KEY_AGREEMENT',
    // P-256 0.04 ms, P-384 0.55, P-521 1.3.
    slow: { derive: ['ECC_NIST_P521'] },
  },
]

const kem: readonly KemAlgorithm[] = [
  {
    ...row('ML_KEM', ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']),
    usage: 'ENCAPSULATE_DECAPSULATE',
    ciphertextBytes: new Map([
      ['ML_KEM_512', 768],
      ['ML_KEM_768', 1088],
      ['ML_KEM_1024', 1568],
    ]),
  },
]

/** All rows, for lists by key spec and for tests over the whole table. */
export const algorithms: readonly Algorithm[] = [
  ...signing,
  ...encryption,
  ...mac,
  ...agreement,
  ...kem,
]

/** Finds a row by its name, which a caller chooses; undefined for any other name. */
export const signingAlgorithm = finder(signing)
/** Finds a row by its name; undefined for SYMMETRIC_DEFAULT and any other name. */
export const encryptionAlgorithm = finder(encryption)
export const macAlgorithm = finder(mac)
export const agreementAlgorithm = finder(agreement)
export const kemAlgorithm = finder(kem)

function finder<R extends Row>(rows: readonly R[]): (name: string) => R | undefined {
  const byName: ReadonlyMap<string, R> = new Map(rows.map((each) => [each.name, each]))
  return (name) => byName.get(name)
}

function row(name: string, specs: readonly KeySpec[]): Omit<Row, 'usage'> {
  return { name, specs, fits: (spec) => specs.includes(spec) }
}

function signer(
  name: string,
  specs: readonly KeySpec[],
  methods: SigningAlgorithm['methods'],
): SigningAlgorithm {
  return { ...row(name, specs), usage: 'SIGN_VERIFY', methods }
}

function encrypter(name: string, hash: HashFunction): EncryptionAlgorithm {
  // Decrypting takes as long as signing: 0.23, 0.67 (1.1 with a key just opened) and 1.4 ms.
  // Encrypting takes under 0.1 ms for all.
  const slow = { decrypt: ['RSA_3072', 'RSA_4096'] } as const
  return { ...row(name, rsa), usage: 'ENCRYPT_DECRYPT', hash, slow }
}

function authenticator(name: string, spec: KeySpec, hash: HashFunction): MacAlgorithm {
  return { ...row(name, [spec]), usage: 'GENERATE_VERIFY_MAC', hash }
}
