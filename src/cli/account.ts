/** `trent account create`, `update` and `list`, through the operator door. @module */
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { CreatedAccount } from '../operations/trent/create-account.ts'
import type { AccountsPage } from '../operations/trent/list-accounts.ts'
import type { ShownAccount } from '../operations/trent/shown-account.ts'
import { readOrganization, type OrganizationOptions } from './organization-options.ts'
import { printed } from './printed.ts'

export async function createAccount(
  configFile: string | undefined,
  options: OrganizationOptions & { readonly json?: true; readonly id?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const input = { accountId: options.id, ...(await readOrganization(options)) }
    const answer = await callOperator(operatorDirectory, 'CreateAccount', input)
    return [answer as CreatedAccount, credentials] // the same program answers
  })
}

export async function updateAccount(
  configFile: string | undefined,
  accountId: string,
  options: Omit<OrganizationOptions, 'org'> & {
    readonly json?: true
    /** False: the account leaves its organisation. */
    readonly org?: string | false
  },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const { org, ...rest } = options
    const { json: _, ...changes } = options
    if (Object.keys(changes).length === 0) {
      throw new ConfigError('nothing to change: `trent account update --help` shows the options')
    }
    const given = await readOrganization({
      ...rest,
      ...(org !== false && org !== undefined && { org }),
    })
    const leaves = org === false && { leaveOrganization: true }
    const answer = await callOperator(operatorDirectory, 'UpdateAccount', {
      accountId,
      ...given,
      ...leaves,
    })
    return [answer as ShownAccount, (shown) => `${line(shown)}\n`] // the same program answers
  })
}

/** An account with its alias, its organisation and the number of its policies. */
function line(account: ShownAccount): string {
  const { accountId, alias = '', createdAt, organizationId, organizationUnit: unit } = account
  const { serviceControlPolicies = [], resourceControlPolicies = [] } = account
  const path = unit === undefined ? organizationId : `${organizationId}/${unit}/`
  const counts = `scp ${serviceControlPolicies.flat().length}, rcp ${resourceControlPolicies.length}`
  const member = organizationId === undefined ? '' : `  ${path}  ${counts}`
  return `${accountId}  ${createdAt}  ${alias}`.trimEnd() + member
}

/** In the format of a shared credentials file. */
export function credentials({ accountId, accessKeyId, secretAccessKey }: CreatedAccount): string {
  return [
    `# the root user of account ${accountId}: the secret is shown only once`,
    `[${accountId}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    '',
  ].join('\n')
}

export async function listAccounts(
  configFile: string | undefined,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const accounts: AccountsPage['accounts'][number][] = []
    let after: string | undefined
    do {
      const page = (await callOperator(operatorDirectory, 'ListAccounts', {
        after,
      })) as AccountsPage
      accounts.push(...page.accounts)
      ;({ after } = page)
    } while (after !== undefined)
    return [{ accounts }, (shown) => `${shown.accounts.map(line).join('\n')}\n`]
  })
}
