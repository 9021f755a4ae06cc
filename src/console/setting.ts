/** The settings of identity providers: who may have a private address, and by whom people sign in. @module */
import { isAbsolute } from 'node:path'
import { readIssuer } from '../model/oidc-provider.ts'
import { readSettingMembers, wrongEntry, type MembersOf } from '../webhooks/setting-members.ts'
import { SettingWrong } from '../webhooks/webhook-settings.ts'

export interface IdentitySettings {
  /** Hosts, in the form of URLs, of identity providers that may have private addresses. */
  readonly webIdentityHosts: ReadonlySet<string>
  /** By whom people can sign in to the console without an access key. */
  readonly signInProviders: readonly SignInProvider[]
}

export const identityNames = ['TRENT_WEB_IDENTITY_HOSTS', 'TRENT_CONSOLE_SIGN_IN'] as const
type Settings = Readonly<Partial<Record<(typeof identityNames)[number], string>>>

/** A provider. Everybody who reaches the console sees `ShownProvider` of it. */
export interface SignInProvider extends ShownProvider {
  /** Absolute path of the file with the client's secret. Without it, the client is public. */
  readonly secretFile?: string
}

export interface ShownProvider {
  /** What the button says. */
  readonly name: string
  /** Exactly as in the provider's description and in its tokens. */
  readonly issuer: string
  /** The console's client id at the provider. */
  readonly clientId: string
  /** Separated by spaces; `openid` is one of them. */
  readonly scope: string
  /** ARN of the role that the page proposes. */
  readonly role?: string
}

/** Member by member: what is added to a provider is not shown by accident. */
export function shownProvider({
  name,
  issuer,
  clientId,
  scope,
  role,
}: SignInProvider): ShownProvider {
  return { name, issuer, clientId, scope, ...(role !== undefined && { role }) }
}

const setting = 'TRENT_CONSOLE_SIGN_IN'
const providersMax = 8
const members = ['issuer', 'client-id', 'client-secret-file', 'scope', 'role'] as const

/** @throws {SettingWrong} */
export function readIdentitySettings(settings: Settings): IdentitySettings {
  const webIdentityHosts = privateHostsOf(settings.TRENT_WEB_IDENTITY_HOSTS)
  const signInProviders = readSignInProviders(settings.TRENT_CONSOLE_SIGN_IN, webIdentityHosts)
  return { webIdentityHosts, signInProviders }
}

function privateHostsOf(text: string | undefined): ReadonlySet<string> {
  const hosts = text?.split(',').map((each) => each.trim()) ?? []
  for (const host of hosts) {
    if (URL.canParse(`https://${host}`) && new URL(`https://${host}`).host === host) continue
    throw new SettingWrong(
      'TRENT_WEB_IDENTITY_HOSTS must be hosts in the form of URLs, in lower case, separated by commas: ' +
        'localhost:8080,oidc.cluster.example',
    )
  }
  return new Set(hosts)
}

/**
 * Reads providers that are separated by commas, each `NAME:issuer=…;client-id=…`.
 * @param privateHosts as of TRENT_WEB_IDENTITY_HOSTS; only they may be asked without TLS
 * @throws {SettingWrong}
 */
function readSignInProviders(
  text: string | undefined,
  privateHosts: ReadonlySet<string>,
): readonly SignInProvider[] {
  const providers = new Map<string, SignInProvider>()
  for (const entry of text?.split(',') ?? []) {
    const [, name, rest = ''] = /^(\w[\w .-]{0,31}):(.+)$/.exec(entry.trim()) ?? []
    if (name === undefined) {
      throw new SettingWrong(
        `${setting} must be identity providers, separated by commas: ` +
          'Example:issuer=https://login.example.com;client-id=trent-console',
      )
    }
    if (providers.has(name)) throw new SettingWrong(`${setting} names ${name} twice`)
    const given = readSettingMembers({ setting, entry: name }, members, rest)
    providers.set(name, providerOf(name, given, privateHosts))
  }
  if (providers.size > providersMax) {
    throw new SettingWrong(`${setting}: at most ${providersMax} identity providers`)
  }
  return [...providers.values()]
}

function providerOf(
  name: string,
  given: MembersOf<(typeof members)[number]>,
  privateHosts: ReadonlySet<string>,
): SignInProvider {
  const of = { setting, entry: name }
  const { issuer = '', scope = 'openid', role } = given
  const { 'client-id': clientId = '', 'client-secret-file': secretFile } = given
  const scheme = readIssuer(issuer)?.scheme
  if (scheme === undefined) throw wrongEntry(of, 'issuer= is the https URL of its issuer')
  if (scheme === 'http' && !privateHosts.has(new URL(issuer).host)) {
    throw wrongEntry(of, 'issuer= may be an http URL only of a host in TRENT_WEB_IDENTITY_HOSTS')
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(clientId)) {
    throw wrongEntry(of, 'client-id= is 1 to 255 printable characters without spaces')
  }
  if (secretFile !== undefined && !isAbsolute(secretFile)) {
    throw wrongEntry(of, 'client-secret-file= is an absolute path')
  }
  const scopes = scope.split(' ')
  if (!scopes.includes('openid') || !scopes.every((each) => /^[\x21-\x7e]{1,64}$/.test(each))) {
    throw wrongEntry(of, 'scope= is a list with openid, separated by single spaces')
  }
  if (role !== undefined && !/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/.test(role)) {
    throw wrongEntry(of, 'role= is the ARN of a role')
  }
  const secret = secretFile !== undefined && { secretFile }
  return { name, issuer, clientId, scope, ...(role !== undefined && { role }), ...secret }
}
