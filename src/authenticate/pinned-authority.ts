/**
 * Finds the certificate authority of a server by its registered thumbprint, when the system does not
 * trust the server's certificate. The caller must verify the whole chain and the name against it.
 * @see
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
 * @module
 */
import { X509Certificate } from 'node:crypto'
import type { LookupFunction } from 'node:net'
import { connect, type DetailedPeerCertificate } from 'node:tls'

const chainMax = 10

/** Returns PEM. Rejects when no certificate of the server has one of the thumbprints. */
export async function pinnedAuthority(
  url: URL,
  { lookup, signal }: { readonly lookup?: LookupFunction; readonly signal: AbortSignal },
  thumbprints: readonly string[],
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<DetailedPeerCertificate>()
  // Nothing is sent or trusted over this connection. It only reads the server's certificates.
  const socket = connect({
    host: url.hostname,
    port: url.port === '' ? 443 : Number(url.port),
    servername: url.hostname,
    rejectUnauthorized: false,
    ...(lookup && { lookup }),
  })
  const giveUp = (): void => void socket.destroy(new Error('it took too long'))
  signal.addEventListener('abort', giveUp, { once: true })
  socket.once('error', reject)
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate(true)))
  try {
    const shown = await promise
    let certificate: DetailedPeerCertificate | undefined = shown
    for (let place = 0; place < chainMax && certificate !== undefined; place += 1) {
      const print = certificate.fingerprint.replaceAll(':', '').toLowerCase()
      if (thumbprints.includes(print)) return new X509Certificate(certificate.raw).toString()
      const issuer: DetailedPeerCertificate = certificate.issuerCertificate
      certificate = issuer === certificate ? undefined : issuer
    }
    throw new Error('no certificate has a registered thumbprint')
  } finally {
    signal.removeEventListener('abort', giveUp)
    socket.destroy()
  }
}
