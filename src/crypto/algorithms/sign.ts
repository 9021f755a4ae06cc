/** Sign and Verify for a row of the algorithm table. @see `table.ts` @module */
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { KmsError } from '../../errors.ts'
import type { KeySpec } from '../../model/key.ts'
import type { MessageType, SignatureMethod } from './signature-method.ts'
import type { SigningAlgorithm } from './table.ts'
import { algorithms } from './table.ts'

/**
 * Checks a message against a row that fits the key, in AWS's order.
 * @throws {KmsError} `ValidationException` first for a message type that the key spec or the
 * algorithm does not support, then for a digest of the wrong length
 */
export function checkMessage(
  row: SigningAlgorithm,
  spec: KeySpec,
  message: Uint8Array,
  messageType: MessageType,
): void {
  const method = row.methods.get(messageType)
  if (method === undefined) {
    const specTakesIt = algorithms.some(
      (each) => each.usage === 'SIGN_VERIFY' && each.fits(spec) && each.methods.has(messageType),
    )
    const culprit = specTakesIt ? `algorithm ${row.name}` : `key spec ${spec}`
    throw new KmsError(
      'ValidationException',
      `Message type ${messageType} is incompatible with ${culprit}.`,
    )
  }
  if (method.messageBytes !== undefined && method.messageBytes !== message.length) {
    const what = messageType === 'EXTERNAL_MU' ? 'External Mu' : 'Digest'
    throw new KmsError(
      'ValidationException',
      `${what} is invalid length for algorithm ${row.name}.`,
    )
  }
}

/** Signs a message that passed `checkMessage`. The row must fit the key's spec. */
export function sign(
  row: SigningAlgorithm,
  privateKey: KeyObject,
  message: Uint8Array,
  messageType: MessageType,
): Buffer {
  return methodOf(row, message, messageType).sign(privateKey, message)
}

/** Whether a signature of any length is valid for a message that passed `checkMessage`. */
export function verify(
  row: SigningAlgorithm,
  publicKey: KeyObject,
  message: Uint8Array,
  messageType: MessageType,
  signature: Uint8Array,
): boolean {
  return methodOf(row, message, messageType).verify(publicKey, message, signature)
}

/** Whether the call must run in the crypto worker thread. */
export function isSlow(
  row: SigningAlgorithm,
  spec: KeySpec,
  messageType: MessageType,
  action: 'sign' | 'verify',
): boolean {
  return row.methods.get(messageType)?.slow[action].includes(spec) ?? false
}

function methodOf(
  row: SigningAlgorithm,
  message: Uint8Array,
  messageType: MessageType,
): SignatureMethod {
  const method = row.methods.get(messageType)
  // A digest of another length would be signed as a different number, so this must hold even if a
  // caller forgot to check.
  assert(method !== undefined, 'the algorithm does not take this message type')
  assert(method.messageBytes === undefined || method.messageBytes === message.length)
  return method
}
