/**
 * Verifies a document's signature and certificate chain. Runs in the slow lane: each signature
 * takes about half a millisecond.
 *
 * INVARIANT (verified before parsed): the chain is walked from the pinned root down, and pkijs
 * parses a certificate's extensions only after OpenSSL has verified its issuer's signature.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-6
 * @see docs/adr/0007-attestation.md
 * @module
 */
import { type KeyObject, verify, X509Certificate } from 'node:crypto'
import { createRequire } from 'node:module'
import type * as Library from 'pkijs'

/** What to verify, and the trusted roots. */
export interface ProofInput {
  readonly signed: Uint8Array
  /** `r ‖ s`, 48 bytes each. */
  readonly signature: Uint8Array
  readonly certificate: Uint8Array
  /** The root first. */
  readonly cabundle: readonly Uint8Array[]
  /** DER each. */
  readonly roots: readonly Uint8Array[]
  /** When the certificates must be valid: milliseconds since the epoch. */
  readonly at: number
}

class Unproved extends Error {}

/** Returns the reason why the document is not proved; undefined if it is. */
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

/**
 * Checks that the certificate was valid at the time and issued by `issuer`. The root is trusted
 * without an issuer.
 */
function link(der: Uint8Array, issuer: X509Certificate | undefined, at: number): X509Certificate {
  const certificate = parsed(der)
  if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
    throw new Unproved('its certificates do not lead from one to the next')
  }
  const { validFromDate, validToDate } = certificate
  // Written so that a date that cannot be read fails the check.
  if (!(at >= validFromDate.getTime() && at <= validToDate.getTime())) {
    throw new Unproved('one of its certificates was not valid at the time of the document')
  }
  return certificate
}

function parsed(der: Uint8Array): X509Certificate {
  try {
    const certificate = new X509Certificate(der)
    // OpenSSL also accepts PEM, and ignores bytes after the certificate.
    if (Buffer.compare(certificate.raw, der) === 0) return certificate
  } catch {
    // Falls through: the caller must not see OpenSSL's message about its bytes.
  }
  throw new Unproved('one of its certificates is malformed')
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
/** Bits in the first byte of a KeyUsage; bit 0 is the highest. */
const digitalSignature = 0x80
const keyCertSign = 0x04

/** @param below the number of authorities between it and the signer */
function requireAuthority(certificate: X509Certificate, below: number): void {
  const { authority, pathLength = below, usage } = extensionsOf(certificate)
  if (!certificate.ca || !authority || (usage & keyCertSign) === 0) {
    throw new Unproved('one of its certificates is not of a certificate authority')
  }
  if (pathLength < below)
    throw new Unproved('its chain is longer than one of its certificates allows')
}

function requireSigner(certificate: X509Certificate): void {
  const { authority, pathLength, usage } = extensionsOf(certificate)
  const signs = !authority && pathLength === undefined && (usage & digitalSignature) !== 0
  const curve = keyOf(certificate)?.asymmetricKeyDetails?.namedCurve
  if (!signs || curve !== 'secp384r1') {
    throw new Unproved('its own certificate is not of an ES384 signer')
  }
}

const load = createRequire(import.meta.url)

/** Reads the extensions that path validation needs, and refuses unknown critical ones. */
function extensionsOf(certificate: X509Certificate): Extensions {
  // Loaded with the first document: loading takes about 60 ms.
  const { BasicConstraints, Certificate } = load('pkijs') as typeof Library
  const extensions = read(() => Certificate.fromBER(certificate.raw).extensions ?? [])
  const found = new Map(extensions.map((extension) => [extension.extnID, extension]))
  const known = [keyUsageId, basicConstraintsId]
  const unknown = extensions.some(({ critical, extnID }) => critical && !known.includes(extnID))
  // The second half is unreachable: OpenSSL accepts no certificate with a known extension twice.
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
  return new Unproved('one of its certificates has extensions that are not supported')
}

/** Refuses a certificate that OpenSSL accepts and pkijs cannot read. */
function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch {
    throw notUnderstood()
  }
}

/** pkijs returns a number that is too large for it as an object: it limits nothing. */
function lengthOf(constraint: Library.BasicConstraints['pathLenConstraint']): number | undefined {
  return typeof constraint === 'object' ? Infinity : constraint
}

/** The first byte of the bit string; 0 if the extension is absent or malformed. */
function usageOf(der: Uint8Array | undefined): number {
  const [tag, length, , bits = 0] = der ?? []
  return tag === 0x03 && length !== undefined && length >= 2 ? bits : 0
}
