/**
 * The layout of a symmetric ciphertext. It matches AWS's byte for byte and length for length, so
 * that fixed-width columns and prefix checks of existing applications keep working.
 * `docs/ciphertext-blob.md` specifies it; it may never change for existing ciphertexts.
 *
 * INVARIANT (one encoding): bytes that differ from what `encodeHeader` writes are not a blob. No
 * ASN.1 is parsed: the DER is a template that is filled with the blob's own fields and compared.
 * @module
 */
import { ivBytes, tagBytes } from './aead.ts'
import { materialIdBytes } from './key-material-id.ts'

/** Byte 2: the operation that made the ciphertext. */
export type BlobKind = 'ciphertext' | 'data-key'

/** The fields of a header. */
export interface BlobFields {
  readonly kind: BlobKind
  /** 32 bytes. */
  readonly materialId: Uint8Array
  /** 16 random bytes, new for each message. */
  readonly nonce: Uint8Array
  /** 12 random bytes, new for each message. */
  readonly iv: Uint8Array
}

/** A ciphertext of the right structure. Nothing in it is authenticated yet. */
export interface Blob extends BlobFields {
  /** Every byte before the ciphertext. */
  readonly header: Uint8Array
  /** `ciphertext ‖ tag`, 11 + n + 16 bytes. */
  readonly sealed: Uint8Array
}

/** In bytes. */
export const blobNonceBytes = 16
/** Bytes before the plaintext, inside the encryption. */
export const innerFrameBytes = 11
/**
 * Most bytes of plaintext in a blob. The least is one. For a key in an HSM, the HSM's own IV and tag count as
 * plaintext here.
 */
export const plaintextBytesMax = 4096 + ivBytes + tagBytes

/** How each format writes its kind. */
export const kindBytes: Readonly<Record<BlobKind, number>> = { ciphertext: 2, 'data-key': 3 }

const prefix = Buffer.from('0102', 'hex')
const constants = Buffer.from('0078', 'hex')
const derivationVersion = 1
const materialIdStart = 5
const nonceStart = 38
const derStart = 58

const oidEncryptedData = Buffer.from('06092a864886f70d010706', 'hex')
const oidData = Buffer.from('06092a864886f70d010701', 'hex')
const versionZero = Buffer.from('020100', 'hex')
// AlgorithmIdentifier { aes256-GCM, GCMParameters { OCTET STRING (12 bytes, here the IV), INTEGER 16 } }
const algorithmStart = Buffer.from('301e060960864801650304012e3011040c', 'hex')
const algorithmEnd = Buffer.from('020110', 'hex')

const tags = { sequence: 0x30, explicitZero: 0xa0, implicitZero: 0x80 } as const

/** Content lengths of the DER's nested elements, from the inside out. */
interface DerLengths {
  readonly sealed: number
  readonly contentInfo: number
  readonly encryptedData: number
  readonly explicit: number
  readonly outer: number
  /** Length of the whole DER, including its own header. */
  readonly total: number
}

/** Length of a blob with `plaintextBytes` of plaintext: 184 bytes for a 32-byte data key. */
export function blobBytes(plaintextBytes: number): number {
  return derStart + derLengths(plaintextBytes).total
}

const blobBytesMin = blobBytes(1)
const blobBytesMax = blobBytes(plaintextBytesMax)

/** Returns the bytes of a blob before its ciphertext: all but the last 11 + n + 16. */
export function encodeHeader(fields: BlobFields, plaintextBytes: number): Buffer {
  if (fields.materialId.length !== materialIdBytes || fields.iv.length !== ivBytes) {
    throw new RangeError('a material id has 32 bytes and an IV 12')
  }
  if (fields.nonce.length !== blobNonceBytes) throw new RangeError('a nonce has 16 bytes')
  const header = Buffer.from(templateOf(fields.kind, plaintextBytes))
  header.set(fields.materialId, materialIdStart)
  header.set(fields.nonce, nonceStart)
  header.set(fields.iv, ivEndIn(header.length, plaintextBytes) - ivBytes)
  return header
}

/** The offset after the IV in a header of `headerBytes`. */
function ivEndIn(headerBytes: number, plaintextBytes: number): number {
  return headerBytes - elementBytes(sealedBytes(plaintextBytes)) - algorithmEnd.length
}

interface Template {
  readonly kind: BlobKind
  readonly plaintextBytes: number
  readonly header: Buffer
}

/**
 * Cached: messages of the same kind and length share a template, and writing its DER takes 0.6 µs.
 */
let lastTemplate: Template | undefined

/** Returns a header in which the material id, the nonce and the IV are zeros. */
function templateOf(kind: BlobKind, plaintextBytes: number): Buffer {
  const known = lastTemplate
  if (known?.kind === kind && known.plaintextBytes === plaintextBytes) return known.header
  const header = writeTemplate(kind, plaintextBytes)
  lastTemplate = { kind, plaintextBytes, header }
  return header
}

function writeTemplate(kind: BlobKind, plaintextBytes: number): Buffer {
  const lengths = derLengths(plaintextBytes)
  const header = Buffer.alloc(derStart + lengths.total - lengths.sealed)
  let at = prefix.copy(header)
  at = header.writeUInt8(kindBytes[kind], at)
  at += constants.copy(header, at)
  at = header.writeUInt8(derivationVersion, at + materialIdBytes)
  at = header.writeUInt32BE(lengths.total, at + blobNonceBytes)
  at = writeElement(header, at, tags.sequence, lengths.outer)
  at += oidEncryptedData.copy(header, at)
  at = writeElement(header, at, tags.explicitZero, lengths.explicit)
  at = writeElement(header, at, tags.sequence, lengths.encryptedData)
  at += versionZero.copy(header, at)
  at = writeElement(header, at, tags.sequence, lengths.contentInfo)
  at += oidData.copy(header, at)
  at += algorithmStart.copy(header, at)
  at += ivBytes
  at += algorithmEnd.copy(header, at)
  writeElement(header, at, tags.implicitZero, lengths.sealed)
  return header
}

/** Returns undefined unless the bytes are the one valid encoding. */
export function parseBlob(bytes: Uint8Array): Blob | undefined {
  const plaintextBytes = plaintextBytesOf(bytes.length)
  if (plaintextBytes === undefined) return undefined
  const sealedStart = bytes.length - sealedBytes(plaintextBytes)
  const ivEnd = ivEndIn(sealedStart, plaintextBytes)
  const fields: BlobFields = {
    kind: bytes[prefix.length] === kindBytes['data-key'] ? 'data-key' : 'ciphertext',
    materialId: bytes.subarray(materialIdStart, materialIdStart + materialIdBytes),
    nonce: bytes.subarray(nonceStart, nonceStart + blobNonceBytes),
    iv: bytes.subarray(ivEnd - ivBytes, ivEnd),
  }
  const header = bytes.subarray(0, sealedStart)
  if (!encodeHeader(fields, plaintextBytes).equals(header)) return undefined
  return { ...fields, header, sealed: bytes.subarray(sealedStart) }
}

function plaintextBytesOf(total: number): number | undefined {
  if (total < blobBytesMin || total > blobBytesMax) return undefined
  // The bytes around a plaintext vary by a few bytes of DER lengths, between these two.
  const aroundMin = blobBytesMin - 1
  const aroundMax = blobBytesMax - plaintextBytesMax
  for (let around = aroundMin; around <= aroundMax; around += 1) {
    const plaintextBytes = total - around
    const possible = plaintextBytes >= 1 && plaintextBytes <= plaintextBytesMax
    if (possible && blobBytes(plaintextBytes) === total) return plaintextBytes
  }
  return undefined
}

function derLengths(plaintextBytes: number): DerLengths {
  if (plaintextBytes < 1 || plaintextBytes > plaintextBytesMax) {
    throw new RangeError(`a blob holds 1 to ${plaintextBytesMax} bytes`)
  }
  const sealed = sealedBytes(plaintextBytes)
  const algorithm = algorithmStart.length + ivBytes + algorithmEnd.length
  const contentInfo = oidData.length + algorithm + elementBytes(sealed) + sealed
  const encryptedData = versionZero.length + elementBytes(contentInfo) + contentInfo
  const explicit = elementBytes(encryptedData) + encryptedData
  const outer = oidEncryptedData.length + elementBytes(explicit) + explicit
  return { sealed, contentInfo, encryptedData, explicit, outer, total: elementBytes(outer) + outer }
}

function sealedBytes(plaintextBytes: number): number {
  return innerFrameBytes + plaintextBytes + tagBytes
}

/** The length of a DER tag and length before `length` bytes of content. */
function elementBytes(length: number): number {
  if (length < 0x80) return 2
  return length < 0x100 ? 3 : 4
}

/** Writes a DER tag and length. Returns the offset after them. */
function writeElement(into: Buffer, offset: number, tag: number, length: number): number {
  const at = into.writeUInt8(tag, offset)
  if (length < 0x80) return into.writeUInt8(length, at)
  if (length < 0x100) return into.writeUInt8(length, into.writeUInt8(0x81, at))
  return into.writeUInt16BE(length, into.writeUInt8(0x82, at))
}
