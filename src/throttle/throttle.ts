/**
 * Step 5: request quotas. Each account has a bucket for each group in each Region: it holds one
 * second's worth of requests and fills up at the group's rate.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html
 * @module
 */
import { KmsError } from '../errors.ts'
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

interface Bucket {
  tokens: number
  /** Milliseconds of the clock that never goes back. */
  filledAt: number
}

/** Buckets that have filled up again are forgotten beyond so many. */
const bucketsMax = 10_000

/** @param monotonic milliseconds of a clock that never goes back */
export function createThrottle(quotas: Quotas, monotonic: () => number): Throttle {
  const buckets = new Map<string, Bucket>()

  const filled = (name: string, rate: number): Bucket => {
    const now = monotonic()
    const capacity = capacityOf(rate)
    const known = buckets.get(name)
    if (known === undefined) return { tokens: capacity, filledAt: now }
    const gained = ((now - known.filledAt) / 1000) * rate
    return { tokens: Math.min(capacity, known.tokens + gained), filledAt: now }
  }
  const keep = (name: string, bucket: Bucket): void => {
    if (!buckets.has(name) && buckets.size >= bucketsMax) forgetFull()
    buckets.set(name, bucket)
  }
  // A full bucket says what no bucket says.
  const forgetFull = (): void => {
    const now = monotonic()
    for (const [name, { filledAt }] of buckets) {
      if (now - filledAt >= fillingMsMax) buckets.delete(name)
    }
  }

  return {
    admit(accountId, region, call) {
      if (quotas.groups.length === 0) return
      const drawn: { readonly name: string; readonly bucket: Bucket; readonly count: number }[] = []
      for (const charge of chargesOf(call)) {
        const group = quotas.groupOf(charge.group)
        const where = charge.region ?? region
        const rate = quotas.rateOf(group, where)
        if (rate === undefined) continue
        const name = `${accountId}/${where}/${group}`
        const bucket = filled(name, rate)
        // A charge that is more than a full bucket empties it, or it could never be paid.
        const count = Math.min(charge.count, capacityOf(rate))
        if (bucket.tokens < count) throw tooFast(call.service)
        drawn.push({ name, bucket, count })
      }
      for (const { name, bucket, count } of drawn) {
        keep(name, { ...bucket, tokens: bucket.tokens - count })
      }
    },
    available(accountId, region, group) {
      const rate = quotas.rateOf(group, region)
      if (rate === undefined) return undefined
      return Math.floor(filled(`${accountId}/${region}/${group}`, rate).tokens)
    },
  }
}

/** A rate below one a second still lets one request through at a time. */
function capacityOf(rate: number): number {
  return Math.max(1, rate)
}

/** The slowest rate that can be set fills its bucket of one within this. */
const fillingMsMax = 1_000_000

/** In AWS’s words: those of KMS, and those of its other services. */
export function tooFast(service: string): KmsError {
  const ofKms =
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'
  return new KmsError('ThrottlingException', service === 'kms' ? ofKms : 'Rate exceeded')
}
