/**
 * The cost of a month's keys and requests: key-months from the history of key states, and requests less
 * the free ones, by account, key, operation or tag.
 * @module
 */
import type { UsedKey } from '../operations/trent/list-usage.ts'
import { countPeriods, type KeptTurn, type RequestCount } from '../model/usage.ts'
import type { PriceList, RequestPrice } from './prices.ts'

export interface AccountUsage {
  readonly accountId: string
  readonly requests: readonly RequestCount[]
  readonly turns: readonly KeptTurn[]
  readonly keys: readonly UsedKey[]
}

export interface UsageReport {
  readonly month: string
  readonly prices: string
  readonly currency: string
  readonly rows: readonly UsageRow[]
  readonly total: Omit<UsageRow, 'group'>
  /** Requests covered by `freeRequests` (a month and account); their price is already deducted. */
  readonly freeRequests: number
}

export interface UsageRow {
  /** An account, a key's ARN, an operation, or a tag's value. */
  readonly group: string
  readonly keyMonths: number
  readonly requests: number
  readonly failedRequests: number
  readonly cost: number
}

/** How rows are grouped; `tag:<key>` groups by the value of the key's tag. */
export type Grouping = 'account' | 'key' | 'operation' | `tag:${string}`

export interface Asked {
  /** `2026-11` */
  readonly month: string
  readonly by: Grouping
  readonly prices: PriceList
  /** Milliseconds since the epoch: the current month is charged up to this time. */
  readonly now: number
}

interface Amounts {
  keyMonths: number
  requests: number
  failedRequests: number
  cost: number
}

/** The group of requests without a key, and of keys without the tag. */
const none = '-'

export function usageReport(accounts: readonly AccountUsage[], asked: Asked): UsageReport {
  const { month, by, prices } = asked
  const groups = new Map<string, Amounts>()
  const amountsOf = (group: string): Amounts => {
    const known = groups.get(group) ?? { keyMonths: 0, requests: 0, failedRequests: 0, cost: 0 }
    groups.set(group, known)
    return known
  }
  let freeRequests = 0
  for (const account of accounts) {
    const keys = new Map(account.keys.map((key) => [key.keyArn, key]))
    const groupOf = (keyArn: string, operation: string): string => {
      if (by === 'account') return account.accountId
      if (by === 'operation') return operation
      if (keyArn === '') return none
      return by === 'key' ? keyArn : (keys.get(keyArn)?.tags[by.slice('tag:'.length)] ?? none)
    }
    for (const [keyArn, keyMonths] of keyMonthsOf(account, keys, asked)) {
      const amounts = amountsOf(groupOf(keyArn, none))
      amounts.keyMonths += keyMonths
      amounts.cost += keyMonths * prices.keyMonth
    }
    const specs = specsOf(account)
    let free = prices.freeRequests
    for (const count of account.requests) {
      // Each request counts once, for its caller's account; the key's account holds a copy of the
      // record.
      if (!count.own) continue
      const [keyArn = ''] = count.keyArns.split(' ')
      const amounts = amountsOf(groupOf(keyArn, count.operation))
      const price = priceOf(count.operation, specs.get(keyArn), prices.requests)
      const given = price.free ? Math.min(free, count.succeeded) : 0
      free -= given
      freeRequests += given
      amounts.requests += count.succeeded
      amounts.failedRequests += count.failed
      amounts.cost += ((count.succeeded - given) * price.per10000) / 10_000
    }
  }
  const rows = [...groups]
    .map(([group, amounts]) => ({ group, ...amounts }))
    .toSorted((a, b) => b.cost - a.cost || (a.group < b.group ? -1 : 1))
  const total = { keyMonths: 0, requests: 0, failedRequests: 0, cost: 0 }
  for (const row of rows) {
    for (const name of ['keyMonths', 'requests', 'failedRequests', 'cost'] as const) {
      total[name] += row[name]
    }
  }
  return { month, prices: prices.name, currency: prices.currency, rows, total, freeRequests }
}

function priceOf(
  operation: string,
  spec: string | undefined,
  prices: readonly RequestPrice[],
): Pick<RequestPrice, 'per10000' | 'free'> {
  const price = prices.find(
    (each) =>
      operation.startsWith(each.operation ?? '') &&
      (each.keySpec === undefined || spec?.startsWith(each.keySpec) === true),
  )
  return price ?? { per10000: 0, free: false }
}

/** Deleted keys have the spec that was recorded when they were created. */
function specsOf({ keys, turns }: AccountUsage): ReadonlyMap<string, string> {
  const said = turns.flatMap(({ keyArn, spec }) =>
    spec === undefined ? [] : [[keyArn, spec] as const],
  )
  return new Map([...said, ...keys.map(({ keyArn, spec }) => [keyArn, spec] as const)])
}

function keyMonthsOf(
  { turns, keys }: AccountUsage,
  known: ReadonlyMap<string, UsedKey>,
  { month, prices, now }: Asked,
): ReadonlyMap<string, number> {
  const from = Date.parse(`${month}-01T00:00:00Z`)
  const end = countPeriods.month.after(from)
  const until = Math.min(end, now)
  const lives = new Map<string, KeptTurn[]>(keys.map(({ keyArn }) => [keyArn, []]))
  for (const turn of turns) lives.set(turn.keyArn, [...(lives.get(turn.keyArn) ?? []), turn])
  const months = new Map<string, number>()
  for (const [keyArn, life] of lives) {
    const key = known.get(keyArn)
    const manager = key?.manager ?? life.find((turn) => turn.manager !== undefined)?.manager
    if (manager === 'AWS') continue
    const charged = chargedMs(wholeLife(life, key), { from, until, prices })
    if (charged > 0) months.set(keyArn, charged / (end - from))
  }
  return months
}

/**
 * A key that is older than its recorded history counts from its creation: in its present state, or
 * enabled before the first recorded change.
 */
function wholeLife(life: readonly KeptTurn[], key: UsedKey | undefined): readonly Turn[] {
  const [first] = life
  if (key === undefined || (first?.at ?? Infinity) <= key.createdAt + 1000) return life
  return [{ at: key.createdAt, state: first === undefined ? key.state : 'Enabled' }, ...life]
}

type Turn = Pick<KeptTurn, 'at' | 'state'>

/** Milliseconds to charge between two times, multiplied by one plus the number of charged rotations. */
function chargedMs(
  life: readonly Turn[],
  {
    from,
    until,
    prices,
  }: { readonly from: number; readonly until: number; readonly prices: PriceList },
): number {
  let total = 0
  let rotations = 0
  let state = 'Deleted'
  for (const [index, turn] of life.entries()) {
    if (turn.state === 'Rotated') rotations = Math.min(rotations + 1, prices.rotationsCharged)
    else state = turn.state
    const next = life[index + 1]?.at ?? Infinity
    const ms = Math.min(next, until) - Math.max(turn.at, from)
    if (ms > 0 && prices.chargedStates.includes(state)) total += ms * (1 + rotations)
  }
  return total
}
