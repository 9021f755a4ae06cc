/**
 * What nodes have of request quotas. It is not a numbered change, because no cache holds it.
 *
 * INVARIANT (one exchange at a time): an exchange is a transaction of the store, and those run one after
 * another. So each sees the claims of all exchanges before it, in every engine.
 * @module
 */
import type { QuotaClaim } from '../../model/quota-share.ts'
import type { RowScope } from '../row-scope.ts'
import { quotaClaims } from '../schema/quotas.ts'

export interface QuotaShareStore {
  /**
   * Replaces a node's claims by those that `decide` returns for the claims of all nodes on these buckets,
   * on the empty bucket, and on the buckets that this node has claims on. Deletes the claims of nodes that
   * are gone. `decide` may run again from the start.
   */
  exchangeClaims(of: ClaimExchange): Promise<void>
  /** Deletes a node's claims. */
  giveUpClaims(node: string): Promise<void>
}

export interface ClaimExchange {
  readonly node: string
  readonly buckets: readonly string[]
  readonly decide: (claims: readonly QuotaClaim[]) => {
    readonly claims: readonly QuotaClaim[]
    readonly gone: readonly string[]
  }
}

/** Most rows in one statement, which bounds its parameters. */
const savedMax = 200

/** Call it in a transaction. */
export async function exchangeClaims({ query }: RowScope, of: ClaimExchange): Promise<void> {
  const found = await query
    .selectFrom('quota_claims')
    .selectAll()
    .where((row) =>
      row.or([
        row('bucket', 'in', ['', ...of.buckets]),
        row('bucket', 'in', (own) =>
          own
            .selectFrom('quota_claims as own')
            .select('own.bucket')
            .where('own.node', '=', of.node),
        ),
      ]),
    )
    .execute()
  const records = found.map((row) => quotaClaims.toRecord(row))
  const own = new Map(
    records.filter(({ node }) => node === of.node).map((claim) => [claim.bucket, claim]),
  )
  const { claims, gone } = of.decide(records)
  const leftOut = new Set(own.keys())
  if (gone.length > 0) await query.deleteFrom('quota_claims').where('node', 'in', gone).execute()
  for (const { bucket } of claims) leftOut.delete(bucket)
  for (const some of inPieces([...leftOut])) {
    await query
      .deleteFrom('quota_claims')
      .where('node', '=', of.node)
      .where('bucket', 'in', some)
      .execute()
  }
  // Most claims are as they were: each row that is written costs the database a version of it.
  for (const some of inPieces(claims.filter((claim) => isNews(claim, own.get(claim.bucket))))) {
    await query
      .insertInto('quota_claims')
      .values(some.map((claim) => quotaClaims.toRow(claim)))
      .onConflict((conflict) =>
        conflict.columns(['bucket', 'node']).doUpdateSet((row) => ({
          share: row.ref('excluded.share'),
          asked: row.ref('excluded.asked'),
          beat: row.ref('excluded.beat'),
        })),
      )
      .execute()
  }
}

/** Only the claim on the empty bucket shows by its beat that the node runs. */
function isNews(claim: QuotaClaim, known: QuotaClaim | undefined): boolean {
  const { bucket, share, asked } = claim
  return bucket === '' || share !== known?.share || asked !== known.asked
}

function* inPieces<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < all.length; start += savedMax) {
    yield all.slice(start, start + savedMax)
  }
}

export async function giveUpClaims({ query }: RowScope, node: string): Promise<void> {
  await query.deleteFrom('quota_claims').where('node', '=', node).execute()
}
