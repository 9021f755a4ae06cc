/** Memory that all workers of a process share. @module */
import { segmentErrorsMemory } from '../../audit/journal/segment-errors.ts'
import { clockMemory } from '../../jobs/clock.ts'
import { bucketMemory } from '../../throttle/buckets.ts'
import { faultsMemory } from '../../throttle/faults.ts'

export interface SharedMemory {
  readonly clock: SharedArrayBuffer
  readonly segmentErrors: SharedArrayBuffer
  readonly faults: SharedArrayBuffer
  /** Buckets of request quotas. */
  readonly buckets: SharedArrayBuffer
}

export function sharedMemory(): SharedMemory {
  return {
    clock: clockMemory(),
    segmentErrors: segmentErrorsMemory(),
    faults: faultsMemory(),
    buckets: bucketMemory(),
  }
}
