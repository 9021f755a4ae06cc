/**
 * Keeps this node's parts of the request quotas that all nodes share. Twice a second it tells the others
 * how often each bucket was asked here, and takes its share.
 * @module
 */
import type { QuotaClaim } from '../model/quota-share.ts'
import type { BucketParts } from './buckets.ts'
import { decideClaims, everyBucket, wholeShare } from './shares.ts'

export interface NodeSharesDependencies {
  /** Identifies this process among all that use the database. */
  readonly node: string
  readonly parts: BucketParts
  /** `QuotaShareStore.exchangeClaims`. */
  readonly exchange: (of: {
    readonly node: string
    readonly buckets: readonly string[]
    readonly decide: (claims: readonly QuotaClaim[]) => {
      readonly claims: readonly QuotaClaim[]
      readonly gone: readonly string[]
    }
  }) => Promise<void>
  readonly giveUp: (node: string) => Promise<void>
  /** Milliseconds of a clock that nobody can set. */
  readonly monotonic: () => number
  /** Milliseconds since the epoch. */
  readonly system: () => number
  /** Called when the shares could not be renewed; it is tried again. */
  readonly onError: (error: Error) => void
  readonly periodMs?: number
}

export interface NodeShares {
  /** Renews this node's parts. It also runs by itself. */
  renew(): Promise<void>
  /** Gives up everything, so that other nodes take it at once. */
  close(): Promise<void>
}

const periodMsDefault = 500
/** A node that could not renew its parts uses them no longer than this, … */
const leaseMs = 3000
/** … and others take them once they have seen no claim of it for longer. */
const goneMs = 5000
/** Buckets that one renewal shares. The node has its part of the others. */
const bucketsMax = 1000

export function createNodeShares(dependencies: NodeSharesDependencies): NodeShares {
  const { node, parts, monotonic, system, onError } = dependencies
  const goneOf = createAbsences(node)
  let beat = 0
  let before: ReadonlyMap<string, number> = new Map()
  /** What this node uses, and until when. */
  let used: ReadonlyMap<string, number> = new Map()
  let usedUntil = { monotonic: 0, system: 0 }
  /** No other node has been seen since this one claimed something. */
  let isFirst = false
  let renewing: Promise<void> | undefined

  const use = (shares: ReadonlyMap<string, number>, until: typeof usedUntil): void => {
    const fractions = new Map([...shares].map(([bucket, share]) => [bucket, share / wholeShare]))
    const floor = fractions.get(everyBucket) ?? 0
    fractions.delete(everyBucket)
    parts.set({ floor, shares: fractions, until, areFull: isFirst })
    used = shares
    usedUntil = until
  }
  // Until the first claim is stored, everything is the other nodes'.
  use(used, usedUntil)
  const exchange = async (): Promise<void> => {
    const started = { monotonic: monotonic(), system: system() }
    const until = { monotonic: started.monotonic + leaseMs, system: started.system + leaseMs }
    const { asked, latest } = askedLately(parts, before)
    before = latest
    beat += 1
    let next: ReadonlyMap<string, number> = new Map()
    await dependencies.exchange({
      node,
      buckets: [...asked.keys()],
      decide: (all) => {
        const gone = goneOf(all, monotonic())
        isFirst = all.every((claim) => claim.node === node) && (beat === 1 || isFirst)
        const claims = decideClaims({
          node,
          beat,
          asked,
          claims: all.filter((claim) => !gone.includes(claim.node)),
        })
        next = new Map(claims.map(({ bucket, share }) => [bucket, share]))
        // What this node gives up is not used any more when the others see it.
        use(lesserOf(used, next), usedUntil)
        return { claims, gone }
      },
    })
    use(next, until)
  }
  const renew = (): Promise<void> => {
    renewing ??= exchange().finally(() => (renewing = undefined))
    return renewing
  }
  const timer = setInterval(() => {
    if (renewing !== undefined) return
    renew().catch((cause: unknown) => {
      onError(new Error('the shares of request quotas are not renewed yet', { cause }))
    })
  }, dependencies.periodMs ?? periodMsDefault).unref()
  return {
    renew,
    async close() {
      clearInterval(timer)
      await renewing?.catch(() => undefined)
      use(new Map(), { monotonic: 0, system: 0 })
      await dependencies.giveUp(node).catch(onError)
    },
  }
}

/** Finds the nodes that have made no claim for too long. */
function createAbsences(
  node: string,
): (claims: readonly QuotaClaim[], now: number) => readonly string[] {
  const seen = new Map<string, { readonly beat: number; readonly at: number }>()
  return (claims, now) => {
    const gone: string[] = []
    for (const claim of claims) {
      if (claim.bucket !== everyBucket || claim.node === node) continue
      const known = seen.get(claim.node)
      if (known?.beat !== claim.beat) seen.set(claim.node, { beat: claim.beat, at: now })
      else if (now - known.at > goneMs) gone.push(claim.node)
    }
    for (const each of gone) seen.delete(each)
    return gone
  }
}

/** How often the busiest buckets were asked: the greater of the last two counts, which rarely are even. */
function askedLately(
  parts: BucketParts,
  before: ReadonlyMap<string, number>,
): { readonly asked: ReadonlyMap<string, number>; readonly latest: ReadonlyMap<string, number> } {
  const latest = new Map([...parts.takeAsked()].map(([bucket, { asked }]) => [bucket, asked]))
  const names = new Set([...latest.keys(), ...before.keys()])
  const counts = [...names]
    .map((name) => [name, Math.max(latest.get(name) ?? 0, before.get(name) ?? 0)] as const)
    .toSorted(([, one], [, other]) => other - one)
  return { asked: new Map(counts.slice(0, bucketsMax)), latest }
}

function lesserOf(
  one: ReadonlyMap<string, number>,
  other: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map([...one].map(([name, share]) => [name, Math.min(share, other.get(name) ?? 0)]))
}
