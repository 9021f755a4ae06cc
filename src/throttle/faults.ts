/**
 * Injected faults: chosen operations fail or are delayed, so that users can test their retries. They
 * exist only while the test API is on.
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
  /** Names of KMS operations; `*` for all of them. */
  readonly operations: readonly string[]
  /** The error that the caller gets; without it the call is only delayed. */
  readonly error?: FaultError
  /** Delay before the call continues or fails. */
  readonly delayMs?: number
  /** How many more calls are hit; every call when left out. */
  readonly count?: number
}

export interface Faults {
  list(): readonly Fault[]
  /** Replaces all faults. */
  replace(faults: readonly Fault[]): void
  /** Returns the first fault that names the operation, and counts it down by one. */
  take(operation: string): Fault | undefined
  /**
   * Applies the first fault that names the operation; returns undefined when there is none. Rejects
   * with the fault's error, or with the reason of `signal`.
   */
  strike(operation: string, signal: AbortSignal): Promise<void> | undefined
}

/** Memory that the threads of a process share: whether there is any fault. */
export function faultsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

/** @param memory from `faultsMemory`, if other threads share the faults */
export function createFaults(memory = faultsMemory()): Faults {
  const some = new Int32Array(memory)
  let faults: readonly Fault[] = []
  const keep = (given: readonly Fault[]): void => {
    faults = given
    Atomics.store(some, 0, given.length)
  }
  const take = (operation: string): Fault | undefined => {
    const index = faults.findIndex(
      ({ operations }) => operations.includes(operation) || operations.includes('*'),
    )
    const fault = faults[index]
    if (fault?.count !== undefined) {
      const left = fault.count > 1 ? [{ ...fault, count: fault.count - 1 }] : []
      keep(faults.toSpliced(index, 1, ...left))
    }
    return fault
  }
  return {
    list: () => faults,
    replace: keep,
    take,
    strike(operation, signal) {
      const fault = take(operation)
      return fault && suffer(fault, signal)
    },
  }
}

/**
 * Faults that another thread keeps.
 * @param take asks that thread; called only while there are faults
 */
export function createKeptFaults(
  memory: SharedArrayBuffer,
  take: (operation: string) => Promise<Fault | undefined>,
): Pick<Faults, 'strike'> {
  const some = new Int32Array(memory)
  return {
    strike(operation, signal) {
      if (Atomics.load(some, 0) === 0) return undefined
      return take(operation).then((fault) => fault && suffer(fault, signal))
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
