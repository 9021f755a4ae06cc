/** OpenID Connect providers, which an account's roles may trust for tokens. @module */
import { formatArn, parseArn } from './arn.ts'
import type { IdentityTag } from './identity.ts'

export interface OidcProviderRecord {
  readonly accountId: string
  /** The URL without its scheme, as in ARNs and condition keys: `token.example.com/tenant`. */
  readonly name: string
  /** The issuer in its tokens. */
  readonly url: string
  /** Accepted audiences of its tokens. */
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, in lower-case hex. */
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

/** Partition, account and name in a provider's ARN; undefined for other text. */
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

/** Scheme and name of an issuer URL without user, query and escapes; undefined for other text. */
export function readIssuer(
  url: string,
): { readonly scheme: 'http' | 'https'; readonly name: string } | undefined {
  const [, scheme, name] = issuerPattern.exec(url) ?? []
  if (name === undefined || !URL.canParse(url) || name.includes('//')) return undefined
  return { scheme: scheme === 'http' ? 'http' : 'https', name }
}
