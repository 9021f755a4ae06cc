/**
 * Reads the form of an attestation document: COSE_Sign1 around a CBOR map, with the limits of AWS's
 * specification. It proves nothing: `chain.ts` verifies what is read here.
 * @see https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md
 * @see
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-content.html
 * @see https://www.rfc-editor.org/rfc/rfc9052#section-4.4 the bytes that are signed
 * @module
 */
import type { DecodeCbor } from './cbor.ts'
import { documentRefused } from './refusal.ts'

/** The content of a document, with its signature and certificates. */
export interface AttestationDocument {
  readonly moduleId: string
  /** When the document was made: milliseconds since the epoch. */
  readonly timestamp: number
  /**
   * Registers of an enclave and of an instance's NitroTPM must never be compared with each other.
   */
  readonly attester: 'enclave' | 'nitro-tpm'
  /** Registers by index, lower-case hex. */
  readonly pcrs: ReadonlyMap<number, string>
  /** SPKI, DER. */
  readonly publicKey: Uint8Array
  /** The signer's certificate, DER. */
  readonly certificate: Uint8Array
  /** The certificates that lead to it, the root first; DER each. */
  readonly cabundle: readonly Uint8Array[]
  /** The bytes that the signature covers. */
  readonly signed: Uint8Array
  /** `r ‖ s`, 48 bytes each. */
  readonly signature: Uint8Array
}

const signTag = 18
const es384 = -35
const payloadBytesMax = 16_384
/** Room for the envelope: tag, array, header, two heads of byte strings, signature. */
const documentBytesMax = payloadBytesMax + 128
const moduleIdMax = 256
const certificateBytesMax = 1024
/** AWS's chains have four certificates. */
const cabundleMax = 8
const registersMax = 32
const registerBytes: ReadonlySet<number> = new Set([32, 48, 64])
const publicKeyBytesMax = 1024
const userDataBytesMax = 1024
const signatureBytes = 96

const registersOf = { pcrs: 'enclave', nitrotpm_pcrs: 'nitro-tpm' } as const

const allowed: ReadonlySet<unknown> = new Set([
  'module_id',
  'digest',
  'timestamp',
  ...Object.keys(registersOf),
  'certificate',
  'cabundle',
  'public_key',
  'user_data',
  'nonce',
])

/** @throws {KmsError} `ValidationException` */
export function readDocument(bytes: Uint8Array, decode: DecodeCbor): AttestationDocument {
  if (bytes.length > documentBytesMax) throw documentRefused('it is too long')
  const [header, payload, signature] = envelope(decoded(bytes, decode, [signTag]))
  const algorithm = decoded(header, decode)
  if (!(algorithm instanceof Map) || algorithm.size !== 1 || algorithm.get(1) !== es384) {
    throw documentRefused('its algorithm is not ES384 alone')
  }
  const fields = decoded(payload, decode)
  if (!(fields instanceof Map)) throw documentRefused('its payload is not a map')
  for (const name of fields.keys()) {
    if (!allowed.has(name)) throw documentRefused('it has a field that is not specified')
  }
  return { ...readFields(fields), signed: signedBytes(header, payload), signature }
}

function decoded(bytes: Uint8Array, decode: DecodeCbor, tags?: readonly number[]): unknown {
  try {
    return decode(bytes, tags)
  } catch {
    throw documentRefused('its CBOR is malformed') // the library's message may quote the document
  }
}

/** Returns the protected header, the payload and the signature of a COSE_Sign1. */
function envelope(cose: unknown): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const parts: readonly unknown[] = Array.isArray(cose) && cose.length === 4 ? cose : []
  const [header, unprotected, payload, signature] = parts
  if (!isBytes(header, 1, 16) || !isBytes(payload, 1, payloadBytesMax)) {
    throw documentRefused('it is not a COSE_Sign1')
  }
  if (!(unprotected instanceof Map) || unprotected.size > 0) {
    throw documentRefused('its unprotected header is not an empty map')
  }
  if (!isBytes(signature, signatureBytes, signatureBytes)) {
    throw documentRefused('its signature is not of ES384')
  }
  return [header, payload, signature]
}

type Fields = ReadonlyMap<unknown, unknown>

function readFields(fields: Fields): Omit<AttestationDocument, 'signed' | 'signature'> {
  const moduleId = fields.get('module_id')
  if (typeof moduleId !== 'string' || moduleId === '' || moduleId.length > moduleIdMax) {
    throw invalid('module_id')
  }
  if (fields.get('digest') !== 'SHA384') throw invalid('digest')
  const timestamp = fields.get('timestamp')
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp <= 0) {
    throw invalid('timestamp')
  }
  const certificate = fields.get('certificate')
  if (!isBytes(certificate, 1, certificateBytesMax)) throw invalid('certificate')
  for (const name of ['user_data', 'nonce']) {
    const value = fields.get(name)
    if (!isAbsent(value) && !isBytes(value, 0, userDataBytesMax)) throw invalid(name)
  }
  return {
    moduleId,
    timestamp,
    ...readRegisters(fields),
    certificate,
    cabundle: readBundle(fields.get('cabundle')),
    publicKey: readPublicKey(fields.get('public_key')),
  }
}

function readRegisters(fields: Fields): Pick<AttestationDocument, 'attester' | 'pcrs'> {
  const given = (['pcrs', 'nitrotpm_pcrs'] as const).filter((name) => fields.has(name))
  const [name] = given
  if (name === undefined || given.length > 1) throw invalid('pcrs')
  const registers = fields.get(name)
  if (!(registers instanceof Map) || registers.size < 1 || registers.size > registersMax) {
    throw invalid(name)
  }
  const pcrs = new Map<number, string>()
  for (const [index, value] of registers) {
    if (typeof index !== 'number' || index < 0 || index >= registersMax) throw invalid(name)
    if (!(value instanceof Uint8Array) || !registerBytes.has(value.length)) throw invalid(name)
    pcrs.set(index, Buffer.from(value).toString('hex'))
  }
  return { attester: registersOf[name], pcrs }
}

function readBundle(value: unknown): readonly Uint8Array[] {
  const bundle: readonly unknown[] = Array.isArray(value) ? value : []
  if (bundle.length < 1 || bundle.length > cabundleMax) throw invalid('cabundle')
  return bundle.map((certificate) => {
    if (!isBytes(certificate, 1, certificateBytesMax)) throw invalid('cabundle')
    return certificate
  })
}

/** Documents may omit the public key, but without one the answer cannot be encrypted for anyone. */
function readPublicKey(value: unknown): Uint8Array {
  if (isAbsent(value)) throw documentRefused('it has no public key')
  if (!isBytes(value, 1, publicKeyBytesMax)) throw invalid('public_key')
  return value
}

/** Nitro attesters write null for values that were not requested. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isBytes(value: unknown, min: number, max: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= min && value.length <= max
}

function invalid(field: string): Error {
  return documentRefused(`its \`${field}\` is missing or not as specified`)
}

/** Sig_structure: `["Signature1", header, h'', payload]`. */
function signedBytes(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = Buffer.concat([Buffer.of(0x84, 0x6a), Buffer.from('Signature1')])
  return Buffer.concat([
    context,
    byteString(header),
    byteString(new Uint8Array(0)),
    byteString(payload),
  ])
}

/** A byte string of less than 65536 bytes, in CBOR. */
function byteString(bytes: Uint8Array): Buffer {
  const { length } = bytes
  const head =
    length < 24
      ? [0x40 | length]
      : length < 256
        ? [0x58, length]
        : [0x59, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), bytes])
}
