/**
 * Makes a local authority and a server's certificate, for a first try and for networks without an authority
 * of their own. EC keys on P-256; the form is RFC 5280's.
 * @module
 */
import { webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { BitString, Integer, OctetString, Utf8String } from 'asn1js'
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtKeyUsage,
  Extension,
  GeneralName,
} from 'pkijs'

/** PEM, each. */
export interface MadePair {
  readonly cert: string
  /** PKCS #8. */
  readonly key: string
}

const dayMs = 86_400_000
/** A client's clock may be behind. */
const skewMs = 5 * 60_000
const authorityDays = 3650
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' } as const

interface Keys {
  readonly publicKey: webcrypto.CryptoKey
  readonly privateKey: webcrypto.CryptoKey
}

/** Makes an authority that can sign certificates, but no other authority. @param now in milliseconds */
export async function makeAuthority(now: number): Promise<MadePair> {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const serial = newSerial()
  const name = `Trent local authority ${Buffer.from(serial.subarray(0, 4)).toString('hex')}`
  const certificate = await newCertificate({ serial, name, now, days: authorityDays, keys })
  const basic = new BasicConstraints({ cA: true, pathLenConstraint: 0 })
  certificate.extensions = [
    extension('2.5.29.19', true, basic.toSchema().toBER()),
    // keyCertSign and cRLSign
    extension('2.5.29.15', true, usageBits(0b0000_0110, 1)),
    await ownKeyIdentifier(certificate),
  ]
  certificate.issuer = certificate.subject
  await certificate.sign(keys.privateKey, 'SHA-256')
  return { cert: pemOf('CERTIFICATE', certificate.toSchema().toBER()), key: await keyPem(keys) }
}

/**
 * @param of.names DNS names and IP addresses
 * @param of.now milliseconds since the epoch
 */
export async function makeServerCertificate(of: {
  readonly authority: MadePair
  readonly names: readonly string[]
  readonly days: number
  readonly now: number
}): Promise<MadePair> {
  const { names, days, now } = of
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const [name = ''] = names
  const issuer = Certificate.fromBER(new X509Certificate(of.authority.cert).raw)
  const certificate = await newCertificate({ serial: newSerial(), name, now, days, keys })
  certificate.issuer = issuer.subject
  certificate.extensions = [
    extension('2.5.29.19', true, new BasicConstraints({ cA: false }).toSchema().toBER()),
    // digitalSignature
    extension('2.5.29.15', true, usageBits(0b1000_0000, 7)),
    // serverAuth
    extension(
      '2.5.29.37',
      false,
      new ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.1'] }).toSchema().toBER(),
    ),
    extension('2.5.29.17', false, new AltName({ altNames: names.map(altName) }).toSchema().toBER()),
    await ownKeyIdentifier(certificate),
    extension(
      '2.5.29.35',
      false,
      new AuthorityKeyIdentifier({
        keyIdentifier: new OctetString({ valueHex: await keyIdentifier(issuer) }),
      })
        .toSchema()
        .toBER(),
    ),
  ]
  await certificate.sign(await signingKey(of.authority.key), 'SHA-256')
  const cert = pemOf('CERTIFICATE', certificate.toSchema().toBER())
  return { cert, key: await keyPem(keys) }
}

async function newCertificate(of: {
  readonly serial: Uint8Array<ArrayBuffer>
  readonly name: string
  readonly now: number
  readonly days: number
  readonly keys: Keys
}): Promise<Certificate> {
  const certificate = new Certificate({
    version: 2,
    serialNumber: new Integer({ valueHex: of.serial.buffer }),
  })
  const commonName = { type: '2.5.4.3', value: new Utf8String({ value: of.name.slice(0, 64) }) }
  certificate.subject.typesAndValues.push(new AttributeTypeAndValue(commonName))
  certificate.notBefore.value = new Date(of.now - skewMs)
  certificate.notAfter.value = new Date(of.now + of.days * dayMs)
  await certificate.subjectPublicKeyInfo.importKey(of.keys.publicKey)
  return certificate
}

/** Positive, 127 bits of chance. */
function newSerial(): Uint8Array<ArrayBuffer> {
  const serial = webcrypto.getRandomValues(new Uint8Array(16))
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial
}

function altName(name: string): GeneralName {
  const family = isIP(name)
  if (family === 0) return new GeneralName({ type: 2, value: name })
  const valueHex = family === 4 ? Uint8Array.from(name.split('.'), Number) : bytesOfIPv6(name)
  return new GeneralName({ type: 7, value: new OctetString({ valueHex: valueHex.buffer }) })
}

function bytesOfIPv6(text: string): Uint8Array<ArrayBuffer> {
  // The URL parser writes the address in its shortest form, without dots.
  const shortest = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [head = '', tail] = shortest.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const all = [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

function extension(extnID: string, critical: boolean, extnValue: ArrayBuffer): Extension {
  return new Extension({ extnID, critical, extnValue })
}

function usageBits(bits: number, unusedBits: number): ArrayBuffer {
  return new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits }).toBER()
}

async function ownKeyIdentifier(certificate: Certificate): Promise<Extension> {
  const valueHex = await keyIdentifier(certificate)
  return extension('2.5.29.14', false, new OctetString({ valueHex }).toBER())
}

/** SHA-1 of the public key: RFC 5280, 4.2.1.2. It only tells keys apart. */
function keyIdentifier({ subjectPublicKeyInfo }: Certificate): Promise<ArrayBuffer> {
  const { valueHexView } = subjectPublicKeyInfo.subjectPublicKey.valueBlock
  return webcrypto.subtle.digest('SHA-1', Uint8Array.from(valueHexView))
}

function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  return webcrypto.subtle.importKey('pkcs8', der, ecdsa, false, ['sign'])
}

async function keyPem({ privateKey }: Keys): Promise<string> {
  return pemOf('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey))
}

function pemOf(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
