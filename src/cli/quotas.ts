/** `trent quotas`: limits and their use, through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { QuotasAnswer } from '../operations/trent/shown-quotas.ts'
import { printed } from './printed.ts'

export async function quotas(
  configFile: string | undefined,
  options: { readonly json?: true; readonly account?: string; readonly region?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { account: accountId, region } = options
    const answer = await callOperator(operatorDirectory, 'GetQuotas', { accountId, region })
    return [answer as QuotasAnswer, table] // the same program answers
  })
}

function table({ profile, accountId, region, resources, requests }: QuotasAnswer): string {
  const lines = [`quotas of profile ${profile}, account ${accountId}, Region ${region}`, '']
  for (const { name, limit, used } of resources) {
    const count = used === undefined ? '' : `used ${used} of `
    lines.push(`  ${name.padEnd(40)} ${count}${limit ?? 'unlimited'}`)
  }
  lines.push('')
  for (const { group, perSecond, available } of requests) {
    lines.push(
      `  ${group.padEnd(40)} ${perSecond ?? 'unlimited'} a second, ${available ?? 'all'} left`,
    )
  }
  if (requests.length === 0) lines.push('  requests: unlimited')
  return `${lines.join('\n')}\n`
}
