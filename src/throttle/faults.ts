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
  /** The fault that strikes a call of an operation: it strikes one call less from then on. */
  take(operation: string): Fault | undefined
  /**
   * What a call has to suffer, by the first fault that is about its operation; undefined for nothing.
   * Rejects with the fault's error, or with the reason of `signal`.
   */
  strike(operation: string, signal: AbortSignal): Promise<void> | undefined
}

/** What the threads of a process have in common: whether there is any fault. */
export function faultsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

/** @param memory what `faultsMemory` made, where other threads ask as well */
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
 * The faults that another thread keeps.
 * @param take asks it; it is asked while there are any
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
