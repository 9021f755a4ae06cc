/** OpenID Connect providers: whose tokens an account's roles may trust. @module */
import { formatArn, parseArn } from './arn.ts'
import type { IdentityTag } from './identity.ts'

export interface OidcProviderRecord {
  readonly accountId: string
  /** The URL without its scheme, as ARNs and condition keys have it: `token.example.com/tenant`. */
  readonly name: string
  /** The issuer that its tokens name. */
  readonly url: string
  /** Audiences that its tokens may be for. */
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, lower-case hex. */
  readonly thumbprints: readonly string[]
  readonly tags: readonly IdentityTag[]
  readonly createdAt: number
  readonly rowVersion: number
}

export type OidcProviderRef = Pick<OidcProviderRecord, 'accountId' | 'name'>

export function oidcProviderArn(partition: string, { accountId, name }: OidcProviderRef): string {
  const resource = `oidc-provider/${name}`
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

/** Partition, account and name of a provider's ARN; undefined for what is none. */
export function readOidcProviderArn(
  text: string,
): (OidcProviderRef & { readonly partition: string }) | undefined {
  const arn = parseArn(text)
  const [, name] = /^oidc-provider\/(.+)$/.exec(arn?.resource ?? '') ?? []
  if (arn?.service !== 'iam' || arn.region !== '' || name === undefined) return undefined
  return { partition: arn.partition, accountId: arn.accountId, name }
}

const issuerPattern =
  /^(https?):\/\/((?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d{1,5})?(?:\/[\w.~/-]*)?)$/

/** Scheme and name of an issuer's URL: no user, no query, no escapes; undefined for what is none. */
export function readIssuer(
  url: string,
): { readonly scheme: 'http' | 'https'; readonly name: string } | undefined {
  const [, scheme, name] = issuerPattern.exec(url) ?? []
  if (name === undefined || !URL.canParse(url) || name.includes('//')) return undefined
  return { scheme: scheme === 'http' ? 'http' : 'https', name }
}
