/**
 * `trent usage`: the cost of a month's keys and requests. It reads the counts through the operator door
 * and adds them up here.
 * @module
 */
import { readFileSync } from 'node:fs'
import { ConfigError, loadConfig } from '../config.ts'
import { PriceListError, priceLists, readPriceList, type PriceList } from '../metrics/prices.ts'
import {
  usageReport,
  type AccountUsage,
  type Grouping,
  type UsageReport,
} from '../metrics/usage-report.ts'
import { callOperator } from '../operator/client.ts'
import type { AccountsPage } from '../operations/trent/list-accounts.ts'
import type { UsagePage } from '../operations/trent/list-usage.ts'
import { printed } from './printed.ts'

interface Options {
  readonly json?: true
  readonly csv?: true
  readonly month?: string
  readonly account?: string
  readonly by: string
  readonly prices: string
}

export async function usage(configFile: string | undefined, options: Options): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const by = groupingOf(options.by)
    const prices = pricesOf(options.prices)
    let { month } = options
    if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) {
      throw new ConfigError('--month is a month as 2026-11')
    }
    const ids =
      options.account === undefined ? await accountsOf(operatorDirectory) : [options.account]
    const accounts: AccountUsage[] = []
    let now = 0
    for (const accountId of ids) {
      const found = await usageOf(operatorDirectory, accountId, month)
      accounts.push(found.account)
      ;({ now, month } = found)
    }
    const report = usageReport(accounts, { month: month ?? '', by, prices, now })
    return [report, options.csv ? csv : table]
  })
}

/** @throws {ConfigError} */
function groupingOf(by: string): Grouping {
  if (by === 'account' || by === 'key' || by === 'operation') return by
  if (/^tag:.+/.test(by)) return by as Grouping // matched above
  throw new ConfigError('--by is account, key, operation or tag:<key>')
}

/** @throws {ConfigError} */
function pricesOf(named: string): PriceList {
  if (named === '2015' || named === 'today') return priceLists[named]
  try {
    return readPriceList(readFileSync(named, 'utf8'))
  } catch (cause) {
    const why = cause instanceof PriceListError ? cause.message : 'it cannot be read'
    throw new ConfigError(`--prices ${named}: ${why}`, { cause })
  }
}

async function accountsOf(operatorDirectory: string): Promise<readonly string[]> {
  const ids: string[] = []
  let after: string | undefined
  do {
    const page = (await callOperator(operatorDirectory, 'ListAccounts', { after })) as AccountsPage
    ids.push(...page.accounts.map(({ accountId }) => accountId))
    ;({ after } = page)
  } while (after !== undefined)
  return ids
}

async function usageOf(
  operatorDirectory: string,
  accountId: string,
  asked: string | undefined,
): Promise<{ readonly account: AccountUsage; readonly month: string; readonly now: number }> {
  let now = 0
  let month = asked
  const all = async <K extends 'requests' | 'turns' | 'keys'>(
    of: K,
  ): Promise<NonNullable<UsagePage[K]>[number][]> => {
    const rows: NonNullable<UsagePage[K]>[number][] = []
    let after: string | undefined
    do {
      const input = { accountId, month, of, after }
      const page = (await callOperator(operatorDirectory, 'ListUsage', input)) as UsagePage
      rows.push(...(page[of] ?? []))
      ;({ after, month, now } = page)
    } while (after !== undefined)
    return rows
  }
  const account = {
    accountId,
    requests: await all('requests'),
    turns: await all('turns'),
    keys: await all('keys'),
  }
  return { account, month: month ?? '', now }
}

const columns = ['keyMonths', 'requests', 'failedRequests', 'cost'] as const

function cells(row: UsageReport['total'] & { readonly group: string }): readonly string[] {
  const { group, keyMonths, requests, failedRequests, cost } = row
  return [group, keyMonths.toFixed(4), String(requests), String(failedRequests), cost.toFixed(4)]
}

function table({ rows, total, ...report }: UsageReport): string {
  const head = ['', 'key-months', 'requests', 'failed', report.currency]
  const lines = [head, ...rows.map(cells), cells({ group: 'total', ...total })]
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const text = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const said =
    `usage in ${report.month} by the price list ${report.prices}; ` +
    `${report.freeRequests} requests are free`
  return `${said}\n\n${text.join('\n')}\n`
}

/**
 * CSV for spreadsheets: a text with a comma or a quote is quoted. Accounts control the values of tags,
 * so a value that a spreadsheet would evaluate as a formula is marked as text.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
function csv({ rows }: UsageReport): string {
  const quoted = (cell: string): string => {
    const text = /^[=+\-@]./.test(cell) ? `'${cell}` : cell
    return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = [['group', ...columns], ...rows.map(cells)]
  return `${lines.map((line) => line.map(quoted).join(',')).join('\r\n')}\r\n`
}
