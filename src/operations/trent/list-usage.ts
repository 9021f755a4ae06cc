/**
 * ListUsage — `trent usage`: lists, in pages, the requests of a month by operation and keys, the lifecycle
 * events of keys until its end, or the existing keys.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { keyArn } from '../../model/key.ts'
import type { RegionTable } from '../../model/region.ts'
import { oneOf, required, text } from '../../model/shape.ts'
import { countPeriods, type KeptTurn, type RequestCount } from '../../model/usage.ts'
import type { StoreReads } from '../../store/store.ts'
import { trentOperation } from './trent-operation.ts'

/** An existing key, with what its price depends on. */
export interface UsedKey {
  readonly keyArn: string
  readonly region: string
  readonly spec: string
  readonly manager: string
  readonly state: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly tags: Readonly<Record<string, string>>
}

export interface UsagePage {
  readonly accountId: string
  readonly month: string
  /** Now, in milliseconds since the epoch, by the clock that decisions use. */
  readonly now: number
  readonly requests?: readonly RequestCount[]
  readonly turns?: readonly KeptTurn[]
  readonly keys?: readonly UsedKey[]
  /** Marker of the next page; absent on the last page. */
  readonly after?: string
}

const rowsMax = 1000

export const listUsage = trentOperation<UsagePage>()({
  name: 'ListUsage',
  door: 'operator',
  input: {
    accountId: text({ pattern: '^[0-9]{12}$' }),
    /** By default the current month. */
    month: text({ pattern: '^[0-9]{4}-(0[1-9]|1[0-2])$' }),
    of: required(oneOf(['requests', 'turns', 'keys'])),
    after: text({ min: 1, max: 8192 }),
  },
  permissions: () => [{ action: 'trent:ListUsage' }],
  readOnly: true,
  audit: ['accountId', 'month', 'of'],
  throws: ['ValidationException', 'NotFoundException', 'AccessDeniedException'],
  async run({ input, caller, partition }, { store, figures, clock, regions }) {
    const { accountId = caller.accountId, of, after } = input
    const month = input.month ?? new Date(clock.now()).toISOString().slice(0, 7)
    if ((await store.findAccount(accountId)) === undefined) {
      throw new KmsError('NotFoundException', `there is no account ${accountId}`)
    }
    const from = Date.parse(`${month}-01T00:00:00Z`)
    const until = countPeriods.month.after(from)
    const page = { accountId, month, now: clock.now() }
    if (of === 'requests') {
      const last = readAfter(after) as RequestCount | undefined
      const found = await figures.listRequestCounts({
        accountId,
        period: 'month',
        from,
        until,
        ...(last && { after: last }),
        limit: rowsMax,
      })
      return { ...page, requests: found, ...nextAfter(found) }
    }
    if (of === 'turns') {
      const last = readAfter(after) as KeptTurn | undefined
      const found = await figures.listKeyTurns(accountId, {
        before: until,
        ...(last && { after: last }),
        limit: rowsMax,
      })
      return { ...page, turns: found, ...nextAfter(found) }
    }
    const last = readAfter(after) as UsedKey | undefined
    const found = await keysOf(accountId, { partition, regions, store }, last)
    return { ...page, keys: found, ...nextAfter(found) }
  },
})

/** The marker is the last row of the page. */
function nextAfter(rows: readonly object[]): Pick<UsagePage, 'after'> {
  const last = rows.at(-1)
  return rows.length < rowsMax || last === undefined ? {} : { after: JSON.stringify(last) }
}

/** Parses a marker. Only operators send it, so it is not authenticated. @throws {KmsError} */
function readAfter(after: string | undefined): object | undefined {
  if (after === undefined) return undefined
  try {
    return { ...(JSON.parse(after) as object) }
  } catch (cause) {
    throw new KmsError('ValidationException', '`after` is not a valid marker', { cause })
  }
}

async function keysOf(
  accountId: string,
  from: {
    readonly partition: string
    readonly regions: RegionTable
    readonly store: Pick<StoreReads, 'listKeys'>
  },
  after: UsedKey | undefined,
): Promise<readonly UsedKey[]> {
  const { partition, regions, store } = from
  const found: UsedKey[] = []
  for (const region of regions.names.toSorted()) {
    if (region < (after?.region ?? '')) continue
    const within = region === after?.region ? after.keyArn.split('/').at(-1) : undefined
    const keys = await store.listKeys(accountId, region, {
      ...(within !== undefined && { after: within }),
      limit: rowsMax - found.length,
    })
    found.push(
      ...keys.map((key) => ({
        keyArn: keyArn(regions.partitionOf(region) ?? partition, key),
        region,
        spec: key.spec,
        manager: key.manager,
        state: key.state,
        createdAt: key.createdAt,
        tags: Object.fromEntries(key.tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
      })),
    )
    if (found.length >= rowsMax) break
  }
  return found
}
