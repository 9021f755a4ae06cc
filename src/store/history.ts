/**
 * Whether a database goes on from what a node has applied. Pure: `docs/adr/0038-several-nodes.md` has the
 * rules.
 * @module
 */

/** A change: its number, and the random id that only this change has. */
export interface Head {
  /** 0 before the first change. */
  readonly seq: number
  readonly changeId: string
}

/** What one statement reads of the database. */
export interface SeenHistory {
  readonly head: Head
  /** The id in the log at the number that the node has applied; absent if the log has no such row. */
  readonly idThere: string | undefined
  /** The first number in the log; absent if the log is empty. */
  readonly oldest: number | undefined
}

/**
 * - `same`: nothing has changed since.
 * - `ahead`: other changes came after it.
 * - `rewound`: it lacks a change that the node has applied.
 */
export type Judgement = 'same' | 'ahead' | 'rewound'

/**
 * @param known what the node had applied before the statement was sent
 * @param seen must be of the primary
 */
export function judge(known: Head, { head, idThere, oldest }: SeenHistory): Judgement {
  if (head.seq < known.seq) return 'rewound'
  if (head.seq === known.seq) return head.changeId === known.changeId ? 'same' : 'rewound'
  if (known.seq === 0 || idThere === known.changeId) return 'ahead'
  // The log does not reach back that far. Caches then drop everything that they hold.
  if (idThere === undefined && oldest !== undefined && oldest > known.seq) return 'ahead'
  return 'rewound'
}
