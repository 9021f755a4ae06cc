/**
 * Whether a document's signature and certificates prove it. Runs in the slow lane: each of the
 * signatures takes about half a millisecond.
 *
 * INVARIANT (signed before parsed): the chain is walked from the pinned root down, and the extensions of a
 * certificate are parsed, by pkijs, only when its issuer's signature has been verified, by OpenSSL.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6
 * @see docs/adr/0007-attestation.md
 * @module
 */
import { type KeyObject, verify, X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as Library from 'pkijs'

/** What is to be proved, and by which roots. */
export interface ProofInput {
  readonly signed: Uint8Array
  /** `r ‖ s`, 48 bytes each. */
  readonly signature: Uint8Array
  readonly certificate: Uint8Array
  /** The root first. */
  readonly cabundle: readonly Uint8Array[]
  /** DER each. */
  readonly roots: readonly Uint8Array[]
  /** The time at which the certificates must be valid: milliseconds since the epoch. */
  readonly at: number
}

class Unproved extends Error {}

/** Answers why the document proves nothing; undefined when it is proved. */
export function unprovedReason(input: ProofInput): string | undefined {
  try {
    prove(input)
    return undefined
  } catch (error) {
    if (error instanceof Unproved) return error.message
    throw error
  }
}

function prove({ cabundle, certificate, roots, at, signed, signature }: ProofInput): void {
  const [first] = cabundle
  if (first === undefined || !roots.some((root) => Buffer.compare(root, first) === 0)) {
    throw new Unproved('its certificates do not begin at a trusted root')
  }
  let issuer: X509Certificate | undefined
  for (const [index, der] of cabundle.entries()) {
    const authority = link(der, issuer, at)
    requireAuthority(authority, cabundle.length - 1 - index)
    issuer = authority
  }
  const signer = link(certificate, issuer, at)
  requireSigner(signer)
  const key = { key: signer.publicKey, dsaEncoding: 'ieee-p1363' } as const
  if (!verify('sha384', signed, key, signature)) {
    throw new Unproved('its signature does not verify')
  }
}

/** ECDSA with SHA-256, SHA-384 or SHA-512. */
const signatureAlgorithms: ReadonlySet<string | undefined> = new Set([
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
])
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** The certificate, in force at that time and issued by `issuer`; the root answers for itself. */
function link(der: Uint8Array, issuer: X509Certificate | undefined, at: number): X509Certificate {
  const certificate = parsed(der)
  if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
    throw new Unproved('its certificates do not lead from one to the next')
  }
  const { validFromDate, validToDate } = certificate
  // Said so that a date that cannot be read is never in force.
  if (!(at >= validFromDate.getTime() && at <= validToDate.getTime())) {
    throw new Unproved('a certificate of it was not valid at its time')
  }
  return certificate
}

function parsed(der: Uint8Array): X509Certificate {
  try {
    const certificate = new X509Certificate(der)
    // OpenSSL takes PEM as well, and leaves what stands behind the certificate unread.
    if (Buffer.compare(certificate.raw, der) === 0) return certificate
  } catch {
    // Below: what OpenSSL says of the caller's bytes is no use to the caller.
  }
  throw new Unproved('a certificate of it is malformed')
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (!signatureAlgorithms.has(certificate.signatureAlgorithmOid)) return false
  const key = keyOf(issuer)
  if (!curves.has(key?.asymmetricKeyDetails?.namedCurve)) return false
  return key !== undefined && certificate.checkIssued(issuer) && certificate.verify(key)
}

function keyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined // a key that OpenSSL does not know, or a point that is not on its curve
  }
}

interface Extensions {
  readonly authority: boolean
  readonly pathLength: number | undefined
  readonly usage: number
}

const keyUsageId = '2.5.29.15'
const basicConstraintsId = '2.5.29.19'
/** The first byte of a KeyUsage: bit 0 is the highest. */
const digitalSignature = 0x80
const keyCertSign = 0x04

/** @param below how many authorities follow before the signer */
function requireAuthority(certificate: X509Certificate, below: number): void {
  const { authority, pathLength = below, usage } = extensionsOf(certificate)
  if (!certificate.ca || !authority || (usage & keyCertSign) === 0) {
    throw new Unproved('a certificate of it is not that of an authority')
  }
  if (pathLength < below) throw new Unproved('its certificates are more than one of them allows')
}

function requireSigner(certificate: X509Certificate): void {
  const { authority, pathLength, usage } = extensionsOf(certificate)
  const signs = !authority && pathLength === undefined && (usage & digitalSignature) !== 0
  const curve = keyOf(certificate)?.asymmetricKeyDetails?.namedCurve
  if (!signs || curve !== 'secp384r1') {
    throw new Unproved('its own certificate is not that of an ES384 signer')
  }
}

const load = createRequire(import.meta.url)

/** Reads what the path needs, and refuses what it does not know but must. */
function extensionsOf(certificate: X509Certificate): Extensions {
  // Loaded by the first document: it takes some 60 ms.
  const { BasicConstraints, Certificate } = load('pkijs') as typeof Library
  const extensions = read(() => Certificate.fromBER(certificate.raw).extensions ?? [])
  const found = new Map(extensions.map((extension) => [extension.extnID, extension]))
  const known = [keyUsageId, basicConstraintsId]
  const unknown = extensions.some(({ critical, extnID }) => critical && !known.includes(extnID))
  // unreachable in its second half: OpenSSL takes no certificate with one of the known ones twice.
  if (unknown || found.size < extensions.length) {
    throw notUnderstood()
  }
  const constraints: unknown = read(() => found.get(basicConstraintsId)?.parsedValue)
  const { cA, pathLenConstraint } =
    constraints instanceof BasicConstraints
      ? constraints
      : { cA: false, pathLenConstraint: undefined }
  return {
    authority: cA,
    pathLength: lengthOf(pathLenConstraint),
    usage: usageOf(found.get(keyUsageId)?.extnValue.valueBlock.valueHexView),
  }
}

function notUnderstood(): Unproved {
  return new Unproved('a certificate of it has extensions that are not understood')
}

/** What OpenSSL takes and the library cannot read proves nothing. */
function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch {
    throw notUnderstood()
  }
}

/** The library leaves a number that is too large for it as an object: no bound that matters. */
function lengthOf(constraint: Library.BasicConstraints['pathLenConstraint']): number | undefined {
  return typeof constraint === 'object' ? Infinity : constraint
}

/** The first byte of the bit string; none when the extension is absent or anything else. */
function usageOf(der: Uint8Array | undefined): number {
  const [tag, length, , bits = 0] = der ?? []
  return tag === 0x03 && length !== undefined && length >= 2 ? bits : 0
}
