/**
 * Step 5: request quotas. Each account has a bucket for each group in each Region: it holds one
 * second's worth of requests and fills up at the group's rate.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { RegionTable } from '../model/region.ts'
import { type Draw, bucketMemory, capacityOf, createBuckets } from './buckets.ts'
import { chargesOf, type ChargedCall } from './charges.ts'
import type { Quotas } from './profiles.ts'

export interface Throttle {
  /**
   * Draws a call on its caller's account: on all of its buckets, or on none.
   * @throws {KmsError} `ThrottlingException`
   */
  admit(accountId: string, region: string, call: ChargedCall): void
  /** How many requests of a group could follow one another now; undefined where it has no limit. */
  available(accountId: string, region: string, group: string): number | undefined
}

export interface ThrottlePorts {
  /** Milliseconds of a clock that never goes back, and that all threads of `memory` share. */
  readonly monotonic: () => number
  readonly regions: Pick<RegionTable, 'partitionOf'>
  /** What `bucketMemory` made, where other threads draw on the same buckets. */
  readonly memory?: SharedArrayBuffer
}

export function createThrottle(
  quotas: Quotas,
  { monotonic, regions, memory = bucketMemory() }: ThrottlePorts,
): Throttle {
  const buckets = createBuckets(memory, monotonic)
  return {
    admit(accountId, region, call) {
      if (quotas.groups.length === 0) return
      const draws: Draw[] = []
      for (const charge of chargesOf(call)) {
        // Caller-controlled: of a Region that there is not, there are no buckets.
        if (charge.region !== undefined && regions.partitionOf(charge.region) === undefined)
          continue
        const group = quotas.groupOf(charge.group)
        const where = charge.region ?? region
        const rate = quotas.rateOf(group, where)
        if (rate === undefined) continue
        // A charge that is more than a full bucket empties it, or it could never be paid.
        const count = Math.min(charge.count, capacityOf(rate))
        draws.push({ bucket: `${accountId}/${where}/${group}`, rate, count })
      }
      if (draws.length > 0 && !buckets.draw(draws)) throw tooFast(call.service)
    },
    available(accountId, region, group) {
      const rate = quotas.rateOf(group, region)
      if (rate === undefined) return undefined
      return buckets.available({ bucket: `${accountId}/${region}/${group}`, rate })
    },
  }
}

/** In AWS’s words: those of KMS, and those of its other services. */
export function tooFast(service: string): KmsError {
  const ofKms =
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
  return new KmsError('ThrottlingException', service === 'kms' ? ofKms : 'Rate exceeded')
}
