/**
 * The members of requests to an XKS proxy. Members that later versions may add are ignored.
 * @see https://github.com/aws/aws-kms-xksproxy-api-spec
 * @module
 */
import { KmsError, type ErrorCode } from '../../errors.ts'
import { usableStates } from '../../model/key-state.ts'
import { required, structure, text, type Member, type Members } from '../../model/shape.ts'
import type { Operation } from '../contract/operation.ts'

/** In bytes. */
const messageBytesMax = 4300
/** In bytes. */
const aadBytesMax = 8192

/** The specification requires proxies to take ARNs of this length. */
const given = { min: 1, max: 2048 }

const optionalMembers = {
  awsSourceVpc: text(given),
  awsSourceVpce: text(given),
  kmsViaService: text(given),
}

/** For whom AWS KMS makes a call that uses a key. */
export const useMetadata = required(
  structure({
    awsPrincipalArn: required(text(given)),
    kmsKeyArn: required(text(given)),
    kmsOperation: required(text(given)),
    kmsRequestId: required(text(given)),
    ...optionalMembers,
  }),
)

/** For CreateKey, the KMS key does not exist yet. */
export const keyMetadata = required(
  structure({
    awsPrincipalArn: required(text(given)),
    kmsKeyArn: text(given),
    kmsOperation: required(text(given)),
    kmsRequestId: required(text(given)),
    ...optionalMembers,
  }),
)

export const healthMetadata = required(
  structure({
    kmsOperation: required(text(given)),
    kmsRequestId: required(text(given)),
  }),
)

/** From the path. It has the form that the path requires. */
export const externalKeyId: Member<string, true> = required(text({ min: 1, max: 128 }))

/** The key of a call. */
export const calledKey = { from: 'externalKeyId', forms: 'key', crossAccount: false } as const

/** The same for a call that encrypts or decrypts with it. */
export const usedKey = { ...calledKey, usage: 'ENCRYPT_DECRYPT', states: usableStates } as const

/** Errors of a call that uses a key, before the encryption itself. */
export const useErrors = [
  'UnknownOperationException',
  'InvalidSignatureException',
  'ValidationException',
  'UnsupportedOperationException',
  'NotFoundException',
  'ThrottlingException',
  'AccessDeniedException',
  'InvalidKeyUsageException',
  'DisabledException',
  'KMSInvalidStateException',
] as const satisfies readonly ErrorCode[]

/** The same for all operations of the proxy API. */
export function xksOperation<Output>() {
  return <const M extends Members, K extends string>(
    definition: Omit<Operation<M, Output, K>, 'service' | 'door' | 'readOnly'>,
  ): Operation<M, Output, K> => ({
    service: 'kms-xks-proxy',
    door: 'xks-proxy',
    readOnly: true,
    ...definition,
  })
}

/** @throws {KmsError} `UnsupportedOperationException` beyond the sizes that the specification asks for */
export function requireSizes(message: Uint8Array, aad: Uint8Array | undefined): void {
  if (message.length > messageBytesMax || (aad?.length ?? 0) > aadBytesMax) {
    const sizes = `more than ${messageBytesMax} bytes, or ${aadBytesMax} of additional data`
    throw new KmsError('UnsupportedOperationException', sizes)
  }
}
