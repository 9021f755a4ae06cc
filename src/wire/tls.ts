/**
 * TLS of the public listener: what is negotiated, and the phase of a connection before its first request.
 * The phase holds the limits of `limits.ts`: a time for each handshake, and a number of incomplete ones.
 * @see docs/adr/0037-tls.md
 * @module
 */
import { constants } from 'node:crypto'
import type { Server as HttpsServer, ServerOptions } from 'node:https'
import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ListenLimits } from './limits.ts'
import type { RawRequest } from './request.ts'

/** PEM, each. */
export interface TlsFiles {
  /** The server's certificate and its intermediates. */
  readonly cert: string
  /** Bytes, because heap snapshots hold texts. */
  readonly key: Uint8Array
  /** Authorities of client certificates. Every client must have one then. */
  readonly clientCa?: string
}

const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
/** Whoever offers the hybrid post-quantum group gets it, even if it has sent a share for another one. */
const groups = 'X25519MLKEM768/X25519:P-256:P-384'

/**
 * INVARIANT (forward secrecy): every suite has an ephemeral key exchange, and no session is resumed. Keys of
 * session tickets would open the recorded traffic of TLS 1.2, and what was negotiated before a reload could
 * go on after it, a client certificate included.
 */
export function tlsOptions(
  { cert, key, clientCa }: TlsFiles,
  minVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2',
): ServerOptions {
  return {
    cert,
    key: Buffer.from(key.buffer, key.byteOffset, key.byteLength),
    minVersion,
    maxVersion: 'TLSv1.3',
    ciphers: cipherSuites.join(':'),
    ecdhCurve: groups,
    secureOptions:
      constants.SSL_OP_NO_TICKET |
      constants.SSL_OP_NO_RENEGOTIATION |
      constants.SSL_OP_NO_COMPRESSION,
    ALPNProtocols: ['http/1.1'],
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  }
}

/** One connection before its first request. */
export interface Handshake {
  /**
   * Gets all bytes so far, until it returns the number of leading bytes that are not TLS; undefined asks for
   * more. Omit it when the first byte is TLS.
   */
  readonly preface?: (bytes: Buffer) => number | undefined
  /** The handshake is complete: `node:http` reads from `socket` now. */
  readonly secured: (socket: TLSSocket, tls: RawRequest['tls']) => void
  /** The connection closed before that. */
  readonly gone: () => void
}

/**
 * Calls `begin` with each new connection, before anything is read from it. Undefined refuses the connection.
 * Returns a function that ends all incomplete handshakes.
 * @throws when Node attaches TLS to a connection differently: nothing would bound it then
 */
export function boundHandshakes(
  server: HttpsServer,
  { handshakeMs }: Pick<ListenLimits, 'handshakeMs'>,
  begin: (socket: Socket) => Handshake | undefined,
): () => void {
  const listeners = server.listeners('connection')
  const [listener] = listeners
  if (listeners.length !== 1 || listener === undefined) {
    throw new Error('this version of Node attaches TLS in an unknown way')
  }
  server.removeListener('connection', listener)
  const handshakes = new Map<Socket, Handshake & { readonly timer: NodeJS.Timeout }>()
  server.on('connection', (socket: Socket) => {
    const handshake = begin(socket)
    if (handshake === undefined) {
      socket.destroy()
      return
    }
    const timer = setTimeout(() => socket.destroy(), handshakeMs).unref()
    handshakes.set(socket, { ...handshake, timer })
    socket.once('error', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(timer)
      if (handshakes.delete(socket)) handshake.gone()
    })
    if (handshake.preface === undefined) listener.call(server, socket)
    else afterPreface(socket, handshake.preface, () => listener.call(server, socket))
  })
  server.on('secureConnection', (secured: TLSSocket) => {
    const socket = carrierOf(secured)
    const handshake = handshakes.get(socket)
    handshakes.delete(socket)
    clearTimeout(handshake?.timer)
    if (handshake === undefined) secured.destroy()
    else handshake.secured(secured, negotiated(secured))
  })
  return () => {
    for (const socket of handshakes.keys()) socket.destroy()
  }
}

/** Continues with the bytes behind the preface. */
function afterPreface(
  socket: Socket,
  preface: (bytes: Buffer) => number | undefined,
  go: () => void,
): void {
  let before = Buffer.alloc(0)
  const read = (chunk: Buffer): void => {
    before = Buffer.concat([before, chunk])
    const skipped = preface(before)
    if (skipped === undefined || socket.destroyed) return
    socket.removeListener('data', read)
    socket.pause()
    if (skipped < before.length) socket.unshift(before.subarray(skipped))
    go()
  }
  socket.on('data', read)
}

/** The connection under TLS. Node has no public name for it; `net.Socket` declares this one. */
function carrierOf(secured: TLSSocket): Socket {
  const { _parent: parent } = secured as unknown as { readonly _parent: unknown }
  if (!(parent instanceof Socket)) throw new Error('this version of Node hides what TLS runs over')
  return parent
}

const subjectCharactersMax = 256

export function certificateOf(socket: TLSSocket): RawRequest['clientCertificate'] {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  // A certificate without a subject has undefined here, whatever the types say.
  const { subject: name } = certificate as { readonly subject?: string }
  const subject = (name ?? 'a certificate without a name').replaceAll('\n', ', ')
  const sha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase()
  return { subject: subject.slice(0, subjectCharactersMax), sha256 }
}

function negotiated(socket: TLSSocket): RawRequest['tls'] {
  return { version: socket.getProtocol() ?? '', cipherSuite: socket.getCipher().name }
}
