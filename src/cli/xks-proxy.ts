/**
 * `trent xks-proxy create`, `list`, `export`, `rotate-credential` and `revoke`, through the operator door.
 * @module
 */
import { ConfigError, loadConfig } from '../config.ts'
import { callOperator } from '../operator/client.ts'
import type { CreatedXksProxy } from '../operations/trent/create-xks-proxy.ts'
import type { ShownExport } from '../operations/trent/export-xks-key.ts'
import type { ListedXksProxies } from '../operations/trent/list-xks-proxies.ts'
import type { RevokedXksProxy } from '../operations/trent/revoke-xks-proxy.ts'
import type { RotatedCredential } from '../operations/trent/rotate-xks-proxy-credential.ts'
import { readDocumentFile } from './document-file.ts'
import { printed } from './printed.ts'

interface Json {
  readonly json?: true
}

/** By the word of the command line. */
const usages: Readonly<Record<string, readonly string[]>> = {
  both: ['ENCRYPT', 'DECRYPT'],
  encrypt: ['ENCRYPT'],
  decrypt: ['DECRYPT'],
  none: [],
}

export async function createXksProxy(
  configFile: string | undefined,
  name: string,
  options: Json & {
    readonly account?: string
    readonly region?: string
    readonly key?: readonly string[]
    readonly limits?: string
  },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory, ...config } = loadConfig(process.env, configFile)
    const { account: accountId = config.accountId, region = config.region } = options
    const keys = options.key?.map(exportOf)
    const given = { name, accountId, region, limits: limitsOf(options.limits), keys }
    const answer = await callOperator(operatorDirectory, 'CreateXksProxy', given)
    const made = answer as CreatedXksProxy // the same program answers
    note(`${made.proxyId} keeps keys of ${accountId} in ${region}. The secret is shown only once.`)
    return [made, configurationFile]
  })
}

export async function rotateCredential(
  configFile: string | undefined,
  proxyId: string,
  options: Json & { readonly limits?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const given = { proxyId, limits: limitsOf(options.limits) }
    const answer = await callOperator(operatorDirectory, 'RotateXksProxyCredential', given)
    const made = answer as RotatedCredential
    const others = made.otherAccessKeyIds.join(' and ')
    note(`Give the client this credential, then revoke ${others === '' ? 'the old one' : others}.`)
    return [made, configurationFile]
  })
}

export async function exportKey(
  configFile: string | undefined,
  proxyId: string,
  keyId: string,
  options: Json & { readonly usage: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const given = { proxyId, keyId, usages: usageOf(options.usage) }
    const answer = (await callOperator(operatorDirectory, 'ExportXksKey', given)) as ShownExport
    return [answer, (shown): string => `${shown.keyId}  ${usageText(shown.usages)}\n`]
  })
}

export async function revokeXksProxy(
  configFile: string | undefined,
  proxyId: string,
  options: Json & { readonly credential?: string; readonly key?: string },
): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    const given = { proxyId, accessKeyId: options.credential, keyId: options.key }
    const answer = await callOperator(operatorDirectory, 'RevokeXksProxy', given)
    return [answer as RevokedXksProxy, revokedText]
  })
}

export async function listXksProxies(configFile: string | undefined, options: Json): Promise<void> {
  await printed(options, async () => {
    const { operatorDirectory } = loadConfig(process.env, configFile)
    return [(await callOperator(operatorDirectory, 'ListXksProxies')) as ListedXksProxies, table]
  })
}

/** Standard output is the file alone, so that it can be redirected. */
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

function configurationFile({ configuration }: CreatedXksProxy | RotatedCredential): string {
  return `${JSON.stringify(configuration, undefined, 2)}\n`
}

/** `ID`, `ID=encrypt`, `ID=decrypt` or `ID=none`. @throws {ConfigError} */
function exportOf(text: string): { readonly keyId: string; readonly usages: readonly string[] } {
  const [keyId = '', usage = 'both'] = text.split('=')
  return { keyId, usages: usageOf(usage) }
}

function usageOf(word: string): readonly string[] {
  const found = Object.hasOwn(usages, word) ? usages[word] : undefined
  if (found !== undefined) return found
  throw new ConfigError(`a usage is ${Object.keys(usages).join(', ')}, and not \`${word}\``)
}

const limitNames = ['operations', 'keyIds', 'awsPrincipalArn', 'kmsKeyArn', 'kmsOperation']

/** A misspelled limit would limit nothing. @throws {ConfigError} */
function limitsOf(path: string | undefined): unknown {
  if (path === undefined) return undefined
  const { value, faultAt } = readDocumentFile(path)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw faultAt('#', `limits are an object of lists: ${limitNames.join(', ')}`)
  }
  const odd = Object.keys(value).find((name) => !limitNames.includes(name))
  if (odd !== undefined) {
    throw faultAt(`#/${odd}`, `there is no such limit: they are ${limitNames.join(', ')}`)
  }
  return value
}

function usageText(given: readonly string[]): string {
  return given.length === 0 ? 'none' : given.join(' and ').toLowerCase()
}

function revokedText({ proxyId, accessKeyId, keyId }: RevokedXksProxy): string {
  if (accessKeyId !== undefined) return `${proxyId}: the credential ${accessKeyId} has ended\n`
  if (keyId !== undefined) return `${proxyId}: ${keyId} is not exported any more\n`
  return `${proxyId}: the proxy has ended, with its credentials\n`
}

function table({ proxies }: ListedXksProxies): string {
  const lines = proxies.flatMap((proxy) => [
    `${proxy.proxyId}  ${proxy.name}  ${proxy.accountId}  ${proxy.region}  ${proxy.createdAt}`,
    `  path ${proxy.uriPath}`,
    ...(proxy.limits ? [`  limits ${JSON.stringify(proxy.limits)}`] : []),
    ...proxy.credentials.map(({ accessKeyId, createdAt, limits }) => {
      const limited = limits === undefined ? '' : `  limits ${JSON.stringify(limits)}`
      return `  credential ${accessKeyId}  ${createdAt}${limited}`
    }),
    ...proxy.keys.map((key) => `  key ${key.keyId}  ${usageText(key.usages)}`),
  ])
  return lines.map((line) => `${line}\n`).join('')
}
