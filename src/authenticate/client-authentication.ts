/**
 * How a client of an OpenID Connect provider proves itself to the token endpoint with a secret.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
 * @module
 */
import type { Form } from './issuer-documents.ts'

/** The first that a provider takes is used. */
const methods = ['client_secret_basic', 'client_secret_post'] as const
export type SecretMethod = (typeof methods)[number]

/**
 * @param supported `token_endpoint_auth_methods_supported` of the provider's description
 * @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata for its default
 */
export function secretMethodOf(supported: unknown): SecretMethod | undefined {
  if (supported === undefined) return 'client_secret_basic'
  const taken: readonly unknown[] = Array.isArray(supported) ? supported : []
  return methods.find((method) => taken.includes(method))
}

/** The form with the client's id, and with its secret unless it is public. */
export function authenticatedForm(
  fields: Readonly<Record<string, string>>,
  clientId: string,
  proof: { readonly method: SecretMethod; readonly secret: Uint8Array } | undefined,
): Form {
  if (proof === undefined) {
    return { fields: new URLSearchParams({ ...fields, client_id: clientId }) }
  }
  const secret = Buffer.from(proof.secret).toString('latin1')
  if (proof.method === 'client_secret_post') {
    const named = { ...fields, client_id: clientId, client_secret: secret }
    return { fields: new URLSearchParams(named) }
  }
  // Some providers do not decode what RFC 6749 has a client encode. This leaves as much as it is as it can.
  const pair = [clientId, secret].map(encodeURIComponent).join(':')
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  return { fields: new URLSearchParams(fields), authorization }
}
