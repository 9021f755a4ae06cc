/**
 * How a call to an HSM fails, and what AWS KMS answers then.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/fix-keystore.html
 * @module
 */
import { KmsError, type ErrorCode } from '../../errors.ts'
import type { ConnectionErrorCode } from '../../model/custom-key-store.ts'
import type { TokenError } from '../../pkcs11/token-error.ts'

/** Why a connection fails, by the code of the token. Other codes are errors of Trent or of the library. */
const connectionErrors: Readonly<Partial<Record<string, ConnectionErrorCode>>> = {
  CKR_PIN_INCORRECT: 'INVALID_CREDENTIALS',
  CKR_PIN_INVALID: 'INVALID_CREDENTIALS',
  CKR_PIN_LEN_RANGE: 'INVALID_CREDENTIALS',
  CKR_PIN_EXPIRED: 'INVALID_CREDENTIALS',
  CKR_PIN_LOCKED: 'USER_LOCKED_OUT',
  // One more wrong password would lock the user, so none is tried.
  PIN_LAST_TRY: 'USER_LOCKED_OUT',
  CKR_USER_PIN_NOT_INITIALIZED: 'USER_NOT_FOUND',
  CKR_USER_ALREADY_LOGGED_IN: 'USER_LOGGED_IN',
  CKR_USER_ANOTHER_ALREADY_LOGGED_IN: 'USER_LOGGED_IN',
  CKR_TOKEN_NOT_PRESENT: 'INSUFFICIENT_CLOUDHSM_HSMS',
  CKR_TOKEN_NOT_RECOGNIZED: 'INSUFFICIENT_CLOUDHSM_HSMS',
  CKR_SLOT_ID_INVALID: 'INSUFFICIENT_CLOUDHSM_HSMS',
  CKR_DEVICE_REMOVED: 'NETWORK_ERRORS',
  CKR_DEVICE_ERROR: 'NETWORK_ERRORS',
  TIMEOUT: 'NETWORK_ERRORS',
  ENDED: 'NETWORK_ERRORS',
}

/** The state after ConnectCustomKeyStore. */
export function connectionErrorOf({ code }: TokenError): ConnectionErrorCode {
  return connectionErrors[code] ?? 'INTERNAL_ERROR'
}

const missing: ReadonlySet<string> = new Set([
  'CKR_KEY_HANDLE_INVALID',
  'CKR_OBJECT_HANDLE_INVALID',
  'AMBIGUOUS',
])

/** Why a call to an HSM failed, for metrics. */
export type HsmFailure = ConnectionErrorCode | 'KEY_NOT_FOUND' | 'TOO_MANY_CALLS'

export function failureOf(error: TokenError): HsmFailure {
  if (error.code === 'BUSY') return 'TOO_MANY_CALLS'
  return missing.has(error.code) ? 'KEY_NOT_FOUND' : connectionErrorOf(error)
}

const noContact =
  'KMS cannot communicate with your CloudHSM cluster. This might be a transient network issue. If you see ' +
  'this error repeatedly, verify that the cluster is active and that its kmsuser can log in.'
const noKey =
  'KMS cannot find the key material of this KMS key in your CloudHSM cluster. Verify that the key ' +
  'with this label exists once in the cluster and that its owner is the kmsuser crypto user.'

/** AWS's answer to a use of an HSM that failed. */
export function useFailure(cause: TokenError): KmsError {
  if (cause.code === 'BUSY') {
    // More calls wait for this HSM than Trent lets wait; other keys do not notice.
    const message =
      'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
    return new KmsError('ThrottlingException', message, { cause })
  }
  const message = missing.has(cause.code) ? noKey : noContact
  return new KmsError('KMSInvalidStateException', message, { cause })
}

/** AWS's answer for a key store that is not connected. */
export function clusterNotConnected(code: ErrorCode): KmsError {
  return new KmsError(
    code,
    'This KMS key is in a custom key store that is not connected to its CloudHSM cluster. Connect the ' +
      'CloudHSM key store and try the request again.',
  )
}

/** AWS's answer for a cluster that has too few HSMs, or cannot be used at all. */
export function invalidCluster(message: string, options?: ErrorOptions): KmsError {
  return new KmsError('CloudHsmClusterInvalidConfigurationException', message, options)
}
