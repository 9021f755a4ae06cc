/** A certificate for a server on this machine, which an authority of the test's own has signed. @module */
// oxlint-disable-next-line import/no-unassigned-import -- the library asks for it, before anything else
import 'reflect-metadata'
import { randomUUID, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** PEM, each. */
export interface Certified {
  readonly key: string
  /** The server's own certificate, and the authority's behind it. */
  readonly cert: string
  readonly authority: string
}

/**
 * @param name the server's, in DNS
 * @param valid when the certificate is valid; a year from now unless given
 * @param subject of the certificate: that of a client has a name of its own
 * @param rsaBits length of an RSA key; the key is on P-256 unless given
 */
export async function certified(
  name: string,
  valid: { readonly notBefore?: Date; readonly notAfter?: Date } = {},
  rsaBits?: number,
  subject = 'CN=server',
): Promise<Certified> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: rsaBits ?? 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  }
  const [ownKeys, authorityKeys] = await Promise.all([
    webcrypto.subtle.generateKey(rsaBits === undefined ? algorithm : rsa, true, ['sign', 'verify']),
    webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']),
  ])
  const authority = await X509CertificateGenerator.createSelfSigned({
    // A client that knows several tells them apart by their names.
    name: `CN=authority ${randomUUID()}`,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const own = await X509CertificateGenerator.create({
    ...valid,
    subject,
    issuer: authority.subject,
    publicKey: ownKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  })
  const der = await webcrypto.subtle.exportKey('pkcs8', ownKeys.privateKey)
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PRIVATE KEY-----`
  const authorityPem = authority.toString('pem')
  return { key, cert: `${own.toString('pem')}\n${authorityPem}`, authority: authorityPem }
}
