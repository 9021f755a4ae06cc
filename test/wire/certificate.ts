/** A certificate for a server on this machine, which an authority of the test's own has signed. @module */
// oxlint-disable-next-line import/no-unassigned-import -- the library asks for it, before anything else
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
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

/** @param name the server's, in DNS */
export async function certified(name: string): Promise<Certified> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const [ownKeys, authorityKeys] = await Promise.all([newKeys(), newKeys()])
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=authority',
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const own = await X509CertificateGenerator.create({
    subject: 'CN=server',
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
