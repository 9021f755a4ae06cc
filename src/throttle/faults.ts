/**
 * Faults on demand: chosen operations fail or come late, so that users can test their retries. They are
 * there where the test API is on, and nowhere else.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { KmsError } from '../errors.ts'
import { tooFast } from './throttle.ts'

export const faultErrors = [
  'ThrottlingException',
  'KMSInternalException',
  'KeyUnavailableException',
  'DependencyTimeoutException',
] as const
export type FaultError = (typeof faultErrors)[number]

export interface Fault {
  /** Operations of KMS that it strikes; `*` for all of them. */
  readonly operations: readonly string[]
  /** What the call is answered with; when left out it is only late. */
  readonly error?: FaultError
  /** How much later the call goes on, or fails. */
  readonly delayMs?: number
  /** How many calls more it strikes; every one when left out. */
  readonly count?: number
}

export interface Faults {
  list(): readonly Fault[]
  /** In the place of all that there were. */
  replace(faults: readonly Fault[]): void
  /**
   * What a call has to suffer, by the first fault that is about its operation; undefined for nothing.
   * Rejects with the fault's error, or with the reason of `signal`.
   */
  strike(operation: string, signal: AbortSignal): Promise<void> | undefined
}

export function createFaults(): Faults {
  let faults: readonly Fault[] = []
  return {
    list: () => faults,
    replace(given) {
      faults = given
    },
    strike(operation, signal) {
      const index = faults.findIndex(
        ({ operations }) => operations.includes(operation) || operations.includes('*'),
      )
      const fault = faults[index]
      if (fault === undefined) return undefined
      if (fault.count !== undefined) {
        const left = fault.count > 1 ? [{ ...fault, count: fault.count - 1 }] : []
        faults = faults.toSpliced(index, 1, ...left)
      }
      return suffer(fault, signal)
    },
  }
}

async function suffer({ delayMs = 0, error }: Fault, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) {
    await sleep(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  if (error !== undefined) throw faultOf(error)
}

function faultOf(error: FaultError): KmsError {
  if (error === 'ThrottlingException') return tooFast('kms')
  if (error === 'KMSInternalException') return new KmsError(error)
  return new KmsError(error, 'a fault that POST /_trent/test/faults asked for')
}
