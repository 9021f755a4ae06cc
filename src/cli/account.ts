/** `trent account create`, `list` and `replace-key`, asked through the operator door. @module */
import { loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { CreatedAccount } from '../operations/trent/create-account.ts'
import type { AccountsPage } from '../operations/trent/list-accounts.ts'
import { printed } from './printed.ts'

export async function createAccount(
  configFile: string | undefined,
  options: { readonly json?: true; readonly id?: string },
): Promise<void> {
  await printed(options, async () => {
    const { dataDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(dataDirectory, 'CreateAccount', { accountId: options.id })
    return [answer, (): string => credentials(answer as CreatedAccount)] // the server is this program
  })
}

export async function replaceRootKey(
  configFile: string | undefined,
  accountId: string,
  options: { readonly json?: true },
): Promise<void> {
  await printed(options, async () => {
    const { dataDirectory } = loadConfig(process.env, configFile)
    const answer = await callOperator(dataDirectory, 'ReplaceRootKey', { accountId })
    return [answer, (): string => credentials(answer as CreatedAccount)] // as above
  })
}

/** Ready to be put into a file of shared credentials. */
function credentials({ accountId, accessKeyId, secretAccessKey }: CreatedAccount): string {
  return [
    `# the root user of account ${accountId}: the secret is told this once`,
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
    const { dataDirectory } = loadConfig(process.env, configFile)
    const accounts: AccountsPage['accounts'][number][] = []
    let after: string | undefined
    do {
      // oxlint-disable-next-line no-await-in-loop -- page by page
      const page = (await callOperator(dataDirectory, 'ListAccounts', { after })) as AccountsPage
      accounts.push(...page.accounts)
      ;({ after } = page)
    } while (after !== undefined)
    const line = ({ accountId, alias = '', createdAt }: (typeof accounts)[number]): string =>
      `${accountId}  ${createdAt}  ${alias}`.trimEnd()
    return [{ accounts }, (): string => `${accounts.map(line).join('\n')}\n`]
  })
}
