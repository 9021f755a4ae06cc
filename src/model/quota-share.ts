/** The parts that nodes have of request quotas. @module */

/** A node's claim on one bucket, as the other nodes see it. */
export interface QuotaClaim {
  /** As `BucketParts` names it; empty for the part that a node has of every bucket. */
  readonly bucket: string
  readonly node: string
  /** Millionths of the bucket. */
  readonly share: number
  /** Requests since the node's last claim, refused ones included. */
  readonly asked: number
  /** Changes with every claim on the empty bucket, so that others see that the node runs. */
  readonly beat: number
}
