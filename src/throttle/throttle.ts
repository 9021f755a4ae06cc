/**
 * Step 5: request quotas. Each account has a token bucket for each group in each Region. A bucket holds
 * one second's worth of requests and refills at the group's rate.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
 * @module
 */
import { KmsError } from '../errors.ts'
import type { RegionTable } from '../model/region.ts'
import { keyStoreGroup } from './charges.ts'
import { type Draw, bucketMemory, capacityOf, createBuckets } from './buckets.ts'
import { chargesOf, type ChargedCall } from './charges.ts'
import type { Quotas } from './profiles.ts'

export interface Throttle {
  /**
   * Charges a call to its caller's account: to all of its buckets, or to none.
   * @throws {KmsError} `ThrottlingException`
   */
  admit(accountId: string, region: string, call: ChargedCall): void
  /** Whether a custom key store has room for one more cryptographic operation; takes it then. */
  admitToKeyStore(storeId: string, region: string): boolean
  /**
   * The number of requests of a group that could follow one another at once on this node; undefined
   * for no limit.
   */
  available(accountId: string, region: string, group: string): number | undefined
}

export interface ThrottleDependencies {
  /** Milliseconds of a clock that never goes back, shared by all threads that share `memory`. */
  readonly monotonic: () => number
  /** Milliseconds since the epoch (`BucketOptions`). */
  readonly system?: () => number
  readonly regions: Pick<RegionTable, 'partitionOf'>
  /** From `bucketMemory`, if other threads draw on the same buckets. */
  readonly memory?: SharedArrayBuffer
}

export function createThrottle(
  quotas: Quotas,
  { monotonic, system, regions, memory = bucketMemory() }: ThrottleDependencies,
): Throttle {
  const buckets = createBuckets(memory, monotonic, system && { system })
  return {
    admit(accountId, region, call) {
      if (quotas.groups.length === 0) return
      const draws: Draw[] = []
      for (const charge of chargesOf(call)) {
        // Caller-controlled: a Region that does not exist must not create buckets.
        if (charge.region !== undefined && regions.partitionOf(charge.region) === undefined)
          continue
        const group = quotas.groupOf(charge.group)
        const where = charge.region ?? region
        const rate = quotas.rateOf(group, where)
        if (rate === undefined) continue
        // A charge larger than the bucket empties it; otherwise the call could never pass.
        const count = Math.min(charge.count, capacityOf(rate))
        draws.push({ bucket: `${accountId}/${where}/${group}`, rate, count })
      }
      if (draws.length > 0 && !buckets.draw(draws)) throw tooFast(call.service)
    },
    admitToKeyStore(storeId, region) {
      const rate = quotas.rateOf(keyStoreGroup, region)
      if (rate === undefined) return true
      return buckets.draw([{ bucket: `${storeId}/${region}/${keyStoreGroup}`, rate, count: 1 }])
    },
    available(accountId, region, group) {
      const rate = quotas.rateOf(group, region)
      if (rate === undefined) return undefined
      return buckets.available({ bucket: `${accountId}/${region}/${group}`, rate })
    },
  }
}

/** AWS's message: KMS has its own, and its other services share one. */
export function tooFast(service: string): KmsError {
  const ofKms =
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
  return new KmsError('ThrottlingException', service === 'kms' ? ofKms : 'Rate exceeded')
}
