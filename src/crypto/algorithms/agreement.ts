/**
 * DeriveSharedSecret: elliptic curve Diffie–Hellman with a peer's public key from the caller.
 * @see SP 800-56A §5.7.1.2 @module
 */
import type { KeyObject } from 'node:crypto'
import { diffieHellman } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import type { Curve } from './curves.ts'
import { curveOf, importPoint, publicKeyHeader } from './curves.ts'

/**
 * Returns the x coordinate, as wide as the field: 32, 48 or 66 bytes. The caller overwrites it when
 * done.
 * @param peer SubjectPublicKeyInfo, DER
 * @throws {KmsError} `ValidationException` without a message if the peer is not a point on the
 * key's own named curve in one of the two valid encodings
 */
export function deriveSharedSecret(privateKey: KeyObject, peer: Uint8Array): Buffer {
  return diffieHellman({ privateKey, publicKey: readPeer(curveOf(privateKey), peer) })
}

/** Compares the caller's key with the two possible headers, so that no ASN.1 parser reads it. */
function readPeer(curve: Curve, peer: Uint8Array): KeyObject {
  // Caller-controlled: uncompressed points start with 04, compressed ones with 02 or 03.
  for (const [pointBytes, firstBytes] of [
    [1 + 2 * curve.bytes, [4]],
    [1 + curve.bytes, [2, 3]],
  ] as const) {
    const header = publicKeyHeader(curve, pointBytes)
    const point = peer.subarray(header.length)
    if (
      point.length === pointBytes &&
      Buffer.compare(header, peer.subarray(0, header.length)) === 0 &&
      firstBytes.some((byte) => byte === point[0])
    ) {
      return readPoint(curve, point)
    }
  }
  throw new KmsError('ValidationException')
}

function readPoint(curve: Curve, point: Uint8Array): KeyObject {
  try {
    return importPoint(curve, point)
  } catch {
    throw new KmsError('ValidationException')
  }
}
