/**
 * A model of several nodes on one database: primaries that are deposed or come back short, machines that
 * are suspended, clocks that are set, and confirmations that are on their way for any time. The rules of the
 * nodes are those of `src/store/history.ts` and `src/store/freshness.ts`.
 * @module
 */
import { judge, type Head, type SeenHistory } from '../../src/store/history.ts'
import { refusalOf, type Moment } from '../../src/store/freshness.ts'

/** What a test may make wrong. */
export interface Rules {
  /** A confirmation commits a write. Otherwise it only reads. */
  readonly commitsWrite: boolean
  /** A change takes its number when it commits. Otherwise when it begins, as from a sequence. */
  readonly numbersAtCommit: boolean
  readonly comparesIds: boolean
  readonly comparesWallClock: boolean
}

export const rightRules: Rules = {
  commitsWrite: true,
  numbersAtCommit: true,
  comparesIds: true,
  comparesWallClock: true,
}

export const boundMs = 5000

export type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'commit'; readonly which: number }
  | { readonly kind: 'notify'; readonly node: number }
  | { readonly kind: 'send'; readonly node: number }
  | { readonly kind: 'execute'; readonly node: number }
  | { readonly kind: 'deliver'; readonly node: number }
  /** The three of a confirmation at one moment. */
  | { readonly kind: 'confirm'; readonly node: number }
  | { readonly kind: 'depose' }
  | { readonly kind: 'promote short'; readonly by: number }
  | { readonly kind: 'reconnect'; readonly node: number }
  | { readonly kind: 'suspend'; readonly node: number; readonly ms: number }
  | { readonly kind: 'set clock'; readonly node: number; readonly ms: number }
  | { readonly kind: 'call'; readonly node: number }

interface Change extends Head {
  /** True time at which its caller had the answer. */
  readonly at: number
}

interface Primary {
  readonly log: Change[]
  /** Another one has taken over: it answers reads, and its commits hang. */
  isDeposed: boolean
}

/** One at a time: no rule can help against two wrong clocks. */
type WrongClock = 'monotonic' | 'wall' | undefined

interface Confirmation {
  /** The clock that went wrong since this was sent. */
  wrongClock?: WrongClock
  readonly sent: Moment
  readonly to: Primary
  seen?: SeenHistory
  changes?: readonly Change[]
}

interface Node {
  primary: Primary
  known: Head
  readonly applied: Set<string>
  confirmed: Moment | undefined
  rewound: boolean
  /** True time minus monotonic time: how long it was suspended. */
  suspendedMs: number
  wallOffsetMs: number
  /** The clock that went wrong since the confirmation that counts. */
  wrongClock: WrongClock
  confirming: Confirmation | undefined
}

const start: Head = { seq: 0, changeId: 'start' }

/** Runs the steps. @returns what the rules should have prevented; undefined if nothing */
export function violation(steps: readonly Step[], rules: Rules): string | undefined {
  const world = new World(rules)
  for (const step of steps) {
    const found = world.take(step)
    if (found !== undefined) return found
  }
  return undefined
}

class World {
  readonly #rules: Rules
  #now = 0
  #ids = 0
  #primary: Primary = { log: [], isDeposed: false }
  #begun: (number | undefined)[] = []
  #numbers = 0
  readonly #nodes: readonly Node[]

  constructor(rules: Rules) {
    this.#rules = rules
    this.#nodes = [0, 1].map(() => ({
      primary: this.#primary,
      known: start,
      applied: new Set(),
      confirmed: undefined,
      rewound: false,
      suspendedMs: 0,
      wallOffsetMs: 0,
      wrongClock: undefined,
      confirming: undefined,
    }))
  }

  take(step: Step): string | undefined {
    switch (step.kind) {
      case 'pass':
        this.#now += step.ms
        return undefined
      case 'begin':
        this.#begin()
        return undefined
      case 'commit':
        this.#commit(step.which)
        return undefined
      case 'depose':
        this.#replace(this.#primary.log)
        return undefined
      case 'promote short':
        this.#replace(this.#primary.log.slice(0, Math.max(0, this.#primary.log.length - step.by)))
        // The old one is gone: nobody stays connected to it.
        for (const node of this.#nodes) {
          node.primary = this.#primary
          node.confirming = undefined
        }
        return undefined
      case 'notify':
      case 'send':
      case 'execute':
      case 'deliver':
      case 'confirm':
      case 'reconnect':
      case 'suspend':
      case 'set clock':
      case 'call':
        break
    }
    return this.#takeOn(this.#nodes[step.node] as Node, step) // there are two
  }

  #takeOn(node: Node, step: Extract<Step, { readonly node: number }>): string | undefined {
    switch (step.kind) {
      case 'notify':
        if (!node.primary.isDeposed) this.#takeIn(node, this.#seenBy(node), node.primary.log)
        return undefined
      case 'send':
        node.confirming ??= { sent: this.#momentOf(node), to: node.primary }
        return undefined
      case 'execute':
        this.#execute(node)
        return undefined
      case 'deliver':
        this.#deliver(node)
        return undefined
      case 'confirm':
        node.confirming ??= { sent: this.#momentOf(node), to: node.primary }
        this.#execute(node)
        this.#deliver(node)
        return undefined
      case 'reconnect':
        node.primary = this.#primary
        node.confirming = undefined
        return undefined
      case 'suspend':
        if (!goesWrong(node, 'monotonic')) return undefined
        node.suspendedMs += step.ms
        this.#now += step.ms
        return undefined
      case 'set clock':
        if (!goesWrong(node, 'wall')) return undefined
        node.wallOffsetMs += step.ms
        return undefined
      case 'call':
        break
    }
    return this.#call(node)
  }

  #begin(): void {
    // The lock of the head lets changes run one after another. A sequence has no such lock.
    if (this.#rules.numbersAtCommit && this.#begun.length > 0) return
    this.#numbers = Math.max(this.#numbers, this.#primary.log.at(-1)?.seq ?? 0) + 1
    this.#begun.push(this.#rules.numbersAtCommit ? undefined : this.#numbers)
  }

  #commit(which: number): void {
    if (this.#begun.length === 0) return
    const [number] = this.#begun.splice(which % this.#begun.length, 1)
    const { log } = this.#primary
    const seq = number ?? (log.at(-1)?.seq ?? 0) + 1
    this.#ids += 1
    log.push({ seq, changeId: `change ${this.#ids}`, at: this.#now })
  }

  #replace(log: readonly Change[]): void {
    this.#primary.isDeposed = true
    this.#primary = { log: [...log], isDeposed: false }
    this.#begun = []
    this.#numbers = 0
  }

  #momentOf(node: Node): Moment {
    return { monotonic: this.#now - node.suspendedMs, wall: this.#now + node.wallOffsetMs }
  }

  #seenBy({ known, primary: { log } }: Node): SeenHistory {
    const head = log.toSorted((one, other) => one.seq - other.seq).at(-1) ?? start
    const there = log.find(({ seq }) => seq === known.seq)
    if (this.#rules.comparesIds) {
      return { head, idThere: there?.changeId, oldest: log.length === 0 ? undefined : 1 }
    }
    // Only numbers count, so every id is taken for the right one.
    const changeId = head.seq === known.seq ? known.changeId : head.changeId
    return { head: { seq: head.seq, changeId }, idThere: known.changeId, oldest: 1 }
  }

  #execute(node: Node): void {
    const { confirming } = node
    if (confirming === undefined || confirming.seen !== undefined) return
    // A commit on a deposed primary hangs for ever.
    if (confirming.to.isDeposed && this.#rules.commitsWrite) return
    confirming.seen = this.#seenBy(node)
    confirming.changes = [...confirming.to.log]
  }

  #deliver(node: Node): void {
    const { seen, changes = [], sent, wrongClock } = node.confirming ?? {}
    if (seen === undefined || sent === undefined) return
    node.confirming = undefined
    // What it knows may have changed since: such an answer is compared at the next confirmation.
    if (seen.head.seq < node.known.seq && this.#primary.log.length >= node.known.seq) return
    this.#takeIn(node, seen, changes)
    if (node.rewound) return
    node.confirmed = sent
    node.wrongClock = wrongClock
  }

  #takeIn(node: Node, seen: SeenHistory, log: readonly Change[]): void {
    const judgement = judge(node.known, seen)
    if (judgement === 'rewound') node.rewound = true
    if (judgement !== 'ahead') return
    for (const change of log) {
      if (change.seq > node.known.seq && change.seq <= seen.head.seq) {
        node.applied.add(change.changeId)
      }
    }
    node.known = seen.head
  }

  /** A call that begins now. */
  #call(node: Node): string | undefined {
    const { confirmed, rewound } = node
    const now = this.#momentOf(node)
    const wall = this.#rules.comparesWallClock ? now.wall : (confirmed?.wall ?? 0)
    if (refusalOf({ confirmed, rewound }, { ...now, wall }, boundMs) !== undefined) return undefined
    const missed = this.#primary.log.find(
      ({ at, changeId }) => at < this.#now - boundMs && !node.applied.has(changeId),
    )
    return missed && `${missed.changeId} was answered ${this.#now - missed.at} ms before`
  }
}

function goesWrong(node: Node, clock: NonNullable<WrongClock>): boolean {
  if (node.wrongClock !== undefined && node.wrongClock !== clock) return false
  node.wrongClock = clock
  if (node.confirming !== undefined) node.confirming.wrongClock = clock
  return true
}
