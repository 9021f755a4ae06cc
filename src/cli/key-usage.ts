/**
 * `trent key-usage`: who used a key, from where, how often and when last. It reads uses through the
 * operator door and aggregates them here.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys-determining-usage.html
 * @module
 */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { RecordedKeyUse, KeyUsesPage } from '../operations/trent/list-key-uses.ts'
import { printed } from './printed.ts'

/** Calls that differ only in their times. */
export interface UsageGroup {
  readonly principal: string
  readonly operation: string
  /** `allowed`, or the error that refused them. */
  readonly outcome: string
  readonly sourceAddress: string
  readonly reasons: readonly string[]
  readonly count: number
  /** ISO 8601, UTC. */
  readonly first: string
  readonly last: string
  /** Event id of the last call. */
  readonly lastEventId: string
  readonly userAgent?: string
}

export interface KeyUsageReport {
  readonly keyArn: string
  readonly from: string
  readonly until: string
  readonly groups: readonly UsageGroup[]
}

export async function keyUsage(
  configFile: string | undefined,
  key: string,
  options: {
    readonly json?: true
    readonly account?: string
    readonly region?: string
    readonly from?: string
    readonly until?: string
  },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { account: accountId, region } = options
    const groups = new Map<string, UsageGroup>()
    let span: Pick<KeyUsesPage, 'keyArn' | 'from' | 'until'> | undefined
    let after: string | undefined
    do {
      // Events after the first page's end are not counted, so that the pages cover one time span.
      const { from = options.from, until = options.until } = span ?? {}
      const asked = { key: span?.keyArn ?? key, accountId, region, from, until, after }
      const page = (await callOperator(operatorDirectory, 'ListKeyUses', asked)) as KeyUsesPage
      const { keyArn, from: begun, until: ended } = page
      span ??= { keyArn, from: begun, until: ended }
      for (const use of page.uses) add(groups, use)
      ;({ after } = page)
    } while (after !== undefined)
    const usage: KeyUsageReport = { ...span, groups: [...groups.values()] }
    return [usage, table]
  })
}

/** Adds one use. The latest use comes first. */
function add(groups: Map<string, UsageGroup>, use: RecordedKeyUse): void {
  const { principal, operation, errorCode: outcome = 'allowed', sourceAddress, reasons } = use
  const name = JSON.stringify([principal, operation, outcome, sourceAddress, reasons])
  const known = groups.get(name)
  if (known !== undefined) {
    groups.set(name, { ...known, count: known.count + 1, first: use.time })
    return
  }
  const { time, eventId: lastEventId, userAgent } = use
  const group = { principal, operation, outcome, sourceAddress, reasons, lastEventId }
  groups.set(name, {
    ...group,
    count: 1,
    first: time,
    last: time,
    ...(userAgent !== undefined && { userAgent }),
  })
}

function table({ keyArn, from, until, groups }: KeyUsageReport): string {
  const head = `${keyArn}\nfrom ${from} to ${until}\n`
  if (groups.length === 0) return `${head}no call for this key is recorded\n`
  const rows = groups.map((group) => [
    group.last,
    String(group.count),
    group.operation,
    group.outcome,
    group.principal,
    group.sourceAddress,
    group.reasons.join(', '),
  ])
  const all = [['LAST', 'COUNT', 'OPERATION', 'OUTCOME', 'WHO', 'FROM', 'BY'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
      .join('  ')
      .trimEnd()
  return `${head}\n${all.map(line).join('\n')}\n`
}
