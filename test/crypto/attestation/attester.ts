/**
 * An attester for tests: pkijs issues its certificates, cborg writes its documents. Tests can make every
 * field of a document or a certificate wrong.
 * @module
 */
import { generateKeyPairSync, KeyObject, randomBytes, sign, webcrypto } from 'node:crypto'
import { BitString, Integer, Null, Utf8String } from 'asn1js'
import { encode, Tagged } from 'cborg'
import {
  AttributeTypeAndValue,
  BasicConstraints,
  Certificate,
  Extension,
  type RelativeDistinguishedNames,
  Time,
} from 'pkijs'

const minute = 60_000

export interface Issued {
  readonly der: Uint8Array
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
}

export interface Ordered {
  readonly name: string
  /** Self-signed if absent. */
  readonly issuer?: Issued
  /** The issuer that the certificate names; the name of `issuer` if absent. */
  readonly issuerName?: string
  readonly curve?: 'P-256' | 'P-384'
  readonly hash?: 'SHA-1' | 'SHA-384'
  /** Milliseconds since the epoch. */
  readonly from?: number
  readonly to?: number
  /** Null: no such extension. */
  readonly authority?: boolean | null
  readonly pathLength?: number
  /** The first byte of KeyUsage; null: no such extension. */
  readonly usage?: number | null
  /** An unknown extension. */
  readonly unknown?: 'critical' | 'harmless'
  /** BasicConstraints twice. */
  readonly twice?: boolean
}

const signsCertificates = 0x06
const signsData = 0x80

/** A certificate. By default it is valid for two hours, of which one has passed. */
export async function issue(ordered: Ordered): Promise<Issued> {
  const { name, curve = 'P-384', authority = true } = ordered
  const algorithm = { name: 'ECDSA', namedCurve: curve }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = new Certificate({ version: 2 })
  certificate.serialNumber = new Integer({ valueHex: Uint8Array.of(1, ...randomBytes(8)).buffer })
  setName(certificate.subject, name)
  setName(certificate.issuer, ordered.issuerName ?? ordered.issuer?.name ?? name)
  certificate.notBefore = new Time({ value: new Date(ordered.from ?? Date.now() - 60 * minute) })
  certificate.notAfter = new Time({ value: new Date(ordered.to ?? Date.now() + 60 * minute) })
  certificate.extensions = extensions(ordered, authority)
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey)
  const signer = (ordered.issuer?.keys ?? keys).privateKey
  await certificate.sign(signer, ordered.hash ?? 'SHA-384')
  return { der: new Uint8Array(certificate.toSchema(true).toBER()), name, keys }
}

function extensions(ordered: Ordered, authority: boolean | null): Extension[] {
  const { pathLength, unknown, twice = false } = ordered
  const { usage = authority === true ? signsCertificates : signsData } = ordered
  const all: Extension[] = []
  if (authority !== null) {
    const length = pathLength === undefined ? {} : { pathLenConstraint: pathLength }
    const constraints = new BasicConstraints({ cA: authority, ...length })
    const extnValue = constraints.toSchema().toBER()
    const extension = new Extension({ extnID: '2.5.29.19', critical: true, extnValue })
    all.push(extension, ...(twice ? [extension] : []))
  }
  if (usage !== null) {
    const extnValue = new BitString({ valueHex: Uint8Array.of(usage).buffer }).toBER()
    all.push(new Extension({ extnID: '2.5.29.15', critical: true, extnValue }))
  }
  if (unknown !== undefined) {
    const extnValue = new Null().toBER()
    const critical = unknown === 'critical'
    all.push(new Extension({ extnID: '1.2.3.4.5', critical, extnValue }))
  }
  return all
}

function setName(names: RelativeDistinguishedNames, value: string): void {
  names.typesAndValues.push(
    new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value }) }),
  )
}

export interface Attester {
  readonly root: Issued
  readonly intermediate: Issued
  readonly signer: Issued
}

/** Root, intermediate, signer. */
export async function createAttester(): Promise<Attester> {
  const root = await issue({ name: 'test root' })
  const intermediate = await issue({ name: 'test intermediate', issuer: root, pathLength: 0 })
  const signer = await issue({ name: 'test signer', issuer: intermediate, authority: false })
  return { root, intermediate, signer }
}

/** An attested key pair, with its private key. */
export const recipient = generateKeyPairSync('rsa', { modulusLength: 2048 })

export function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' })
}

export const pcr0 = 'a5'.repeat(48)
const registers = new Map(
  Array.from({ length: 16 }, (_, index) => [index, Buffer.alloc(48, index === 0 ? 0xa5 : index)]),
)

export type Fields = Map<unknown, unknown>

/** The fields of a valid document. */
export function fieldsOf(attester: Attester, at = Date.now()): Fields {
  return new Map<unknown, unknown>([
    ['module_id', 'i-0123456789abcdef0-enc0123456789abcdef'],
    ['digest', 'SHA384'],
    ['timestamp', at],
    ['pcrs', registers],
    ['certificate', attester.signer.der],
    ['cabundle', [attester.root.der, attester.intermediate.der]],
    ['public_key', spki(recipient.publicKey)],
    ['user_data', null],
    ['nonce', null],
  ])
}

const keepOrder = { mapSorter: () => 0 }

/** CBOR of anything; maps keep their order. */
export function cbor(value: unknown): Uint8Array {
  return encode(value, keepOrder)
}

export interface Wrapping {
  /** The protected header, in CBOR. */
  readonly header?: Uint8Array
  readonly unprotected?: unknown
  readonly tagged?: boolean
  /** Instead of the signer's key. */
  readonly signWith?: KeyObject
  /** Signed instead of the payload that is sent. */
  readonly signedPayload?: Uint8Array
}

/** A COSE_Sign1 around `payload`, signed by the attester's signer. */
export function wrap(
  payload: Uint8Array,
  { signer }: Pick<Attester, 'signer'>,
  wrapping: Wrapping = {},
): Uint8Array {
  const { header = cbor(new Map([[1, -35]])), unprotected = new Map(), tagged = false } = wrapping
  const signed = ['Signature1', header, new Uint8Array(0), wrapping.signedPayload ?? payload]
  const key = wrapping.signWith ?? KeyObject.from(signer.keys.privateKey)
  const signature = sign('sha384', cbor(signed), { key, dsaEncoding: 'ieee-p1363' })
  const parts = [header, unprotected, payload, new Uint8Array(signature)]
  return cbor(tagged ? new Tagged(18, parts) : parts)
}

/** A valid document, except for the given fields; undefined removes a field. */
export function attest(
  attester: Attester,
  changes: Readonly<Record<string, unknown>> = {},
  wrapping: Wrapping = {},
): Uint8Array {
  const fields = fieldsOf(attester)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) fields.delete(name)
    else fields.set(name, value)
  }
  return wrap(cbor(fields), attester, wrapping)
}
