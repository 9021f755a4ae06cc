/**
 * How nodes share a request quota: by load. Each node decides its own shares from the claims of all, while
 * no other node does.
 *
 * INVARIANT (a share shrinks before another grows): a node never takes more than the stored claims of the
 * others leave, and a node that gives something up stops using it before it says so. So the shares of a
 * bucket never exceed the bucket. Besides them every node has a part of all buckets; together these are a
 * tenth.
 * @module
 */
import type { QuotaClaim } from '../model/quota-share.ts'

/** The whole of a bucket, in the unit of shares. */
export const wholeShare = 1_000_000
/** The parts that all nodes have of every bucket, together. */
const floorsShare = wholeShare / 10
/** The bucket whose claims are these parts. */
export const everyBucket = ''
/** A smaller difference is not worth a write. */
const leastMove = wholeShare / 50

/**
 * This node's claims, given those of all nodes that run. Claims that it leaves out are given up.
 * @param asked how often each bucket was asked here, lately
 */
export function decideClaims(of: {
  readonly node: string
  readonly beat: number
  readonly asked: ReadonlyMap<string, number>
  readonly claims: readonly QuotaClaim[]
}): readonly QuotaClaim[] {
  const { node, beat, asked, claims } = of
  const others = claims.filter((claim) => claim.node !== node)
  const alone = others.length === 0
  // Once: there may be a thousand buckets, with a claim of every node on each.
  const byBucket = Map.groupBy(claims, (claim) => claim.bucket)
  const decide = (bucket: string, wanted: number, shared: number): QuotaClaim => {
    const all = byBucket.get(bucket) ?? []
    const own = all.find((claim) => claim.node === node)
    const rest = all.filter((claim) => claim.node !== node)
    const share = shareOf({ own: own?.share ?? 0, wanted, others: rest, whole: shared })
    return { bucket, node, share, asked: wanted, beat }
  }
  // A node without others has all of every bucket, and needs no share of any.
  const floor = decide(everyBucket, 1, alone ? wholeShare : floorsShare)
  if (alone) return [floor]
  // A node that was alone has all of every bucket until it knows of the others.
  const floors = sum(others.flatMap(({ bucket, share }) => (bucket === everyBucket ? share : [])))
  const whole = wholeShare - Math.max(0, floors - floorsShare)
  const held = claims.flatMap((claim) => (claim.node === node ? [claim.bucket] : []))
  const buckets = new Set([...asked.keys(), ...held])
  buckets.delete(everyBucket)
  const shared = [...buckets].map((bucket) => decide(bucket, asked.get(bucket) ?? 0, whole))
  return [floor, ...shared.filter((claim) => claim.share > 0 || claim.asked > 0)]
}

/** A node's next share of one bucket. */
export function shareOf(of: {
  readonly own: number
  readonly wanted: number
  readonly others: readonly Pick<QuotaClaim, 'share' | 'asked'>[]
  readonly whole: number
}): number {
  const { own, wanted, others, whole } = of
  const wantedElsewhere = sum(others.map(({ asked }) => asked))
  // Nobody needs what this node does not use.
  if (wanted + wantedElsewhere === 0) return Math.min(own, whole)
  const due = Math.floor((whole * wanted) / (wanted + wantedElsewhere))
  const free = Math.max(0, whole - sum(others.map(({ share }) => share)))
  const next = due < own ? due : Math.max(Math.min(due, free), Math.min(own, free))
  const isSmall = Math.abs(next - own) < leastMove && own <= free
  return isSmall && next !== whole && next !== 0 ? own : next
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
