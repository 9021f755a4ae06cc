/** Calls to the HSMs of connected key stores, and their outcomes for metrics and the log. @module */
import { KmsError } from '../../errors.ts'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import { TokenError } from '../../pkcs11/token-error.ts'
import type { Token } from '../../pkcs11/token.ts'
import { clusterNotConnected } from './hsm-failure.ts'
import type { StoreTokens } from './store-tokens.ts'

export const hsmOperations = [
  'Connect',
  'Decrypt',
  'DestroyKey',
  'Encrypt',
  'GenerateKey',
  'GenerateRandom',
  'HealthCheck',
] as const

export interface HsmCallSeen {
  readonly storeId: string
  readonly operation: (typeof hsmOperations)[number]
  readonly milliseconds: number
  /** What the token said. The caller only gets AWS's sentence. */
  readonly error?: TokenError
}

export type Seen = <T>(
  operation: HsmCallSeen['operation'],
  store: Pick<CustomKeyStoreRef, 'storeId'>,
  work: () => Promise<T>,
) => Promise<T>

/** Runs a call to a token, and passes its outcome on. A call that never reached a token has none. */
export function seenBy({ onCall }: { readonly onCall: (call: HsmCallSeen) => void }): Seen {
  return async (operation, { storeId }, work) => {
    const started = performance.now()
    const end = (error?: TokenError): void => {
      const milliseconds = performance.now() - started
      onCall({ storeId, operation, milliseconds, ...(error && { error }) })
    }
    try {
      const result = await work()
      end()
      return result
    } catch (error) {
      if (error instanceof TokenError) end(error)
      throw error
    }
  }
}

/**
 * Asks the HSM of a key store.
 * @param found the row, if the caller has it
 * @throws {TokenError} if the HSM fails
 * @throws {KmsError} `KMSInvalidStateException` if the key store does not exist or is not connected
 */
export type Ask = <T>(
  operation: HsmCallSeen['operation'],
  store: CustomKeyStoreRef,
  work: (token: Token) => Promise<T>,
  found?: CustomKeyStoreRecord,
) => Promise<T>

export function askOf(seen: Seen, tokens: Pick<StoreTokens, 'of'>): Ask {
  return (operation, store, work, found) =>
    seen(operation, store, async () => {
      const token = await tokens.of(store, found)
      if (token === undefined) throw clusterNotConnected('KMSInvalidStateException')
      return work(token)
    })
}

/** Whether `Ask` throws this. */
export function isFailure(error: unknown): error is TokenError | KmsError {
  return error instanceof TokenError || error instanceof KmsError
}
