/** `trent who-can`: lists who can do what with a key, through the operator door. @module */
import { loadConfig } from '../config.ts'
import type { Access, NamedPrincipal, WhoCanPage } from '../operations/contract/access-questions.ts'
import { callOperator } from '../operator/client.ts'
import { printed } from './printed.ts'
import { reasonText } from './reason-text.ts'

export async function whoCan(
  configFile: string | undefined,
  key: string,
  action: string | undefined,
  options: { readonly json?: true; readonly account?: string; readonly region?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { account: accountId, region } = options
    const access: Access[] = []
    let named: readonly NamedPrincipal[] = []
    let keyArn = ''
    let after: string | undefined
    do {
      const input = { key, action, accountId, region, after }
      const page = (await callOperator(operatorDirectory, 'ListAccess', input)) as WhoCanPage
      access.push(...page.access)
      named = page.named ?? named
      ;({ keyArn, after } = page)
    } while (after !== undefined)
    return [{ keyArn, access, named }, text]
  })
}

function text({
  keyArn,
  access,
  named,
}: {
  readonly keyArn: string
  readonly access: readonly Access[]
  readonly named: readonly NamedPrincipal[]
}): string {
  const lines = [keyArn]
  let principal = ''
  for (const each of access) {
    if (each.principal !== principal) lines.push('', each.principal)
    ;({ principal } = each)
    lines.push(`  ${each.actions.join(' ')}`)
    for (const reason of each.by) lines.push(`    ${reasonText(reason)}`)
    if (each.bounded) lines.push('    within its permissions boundary')
  }
  if (access.length === 0) lines.push('', 'no user, role or root user can')
  if (named.length > 0) lines.push('', 'also named, but not evaluated')
  for (const { principal: name, by } of named) lines.push(`  ${name}: ${reasonText(by)}`)
  return `${lines.join('\n')}\n`
}
