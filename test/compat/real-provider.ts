/** A certified OpenID Connect provider on loopback: for a client of its own, or for people. @module */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Configuration } from 'oidc-provider'

interface Served {
  readonly url: string
  readonly host: string
  readonly close: () => Promise<void>
}

/** Gives tokens to a client. */
export interface RealProvider extends Served {
  readonly subject: string
  readonly audience: string
  readonly token: () => Promise<string>
}

/** Asks people who they are. Anybody may be anybody. */
export interface PeopleProvider extends Served {
  /** From then on it serves the client, which must use PKCE and is public unless it has a secret. */
  readonly admit: (clientId: string, redirectUri: string, secret?: ClientSecret) => void
}

interface ClientSecret {
  readonly value: string
  /** The only method by which the provider takes it. */
  readonly method: 'client_secret_basic' | 'client_secret_post'
}

const clientId = 'build-job'
const clientSecret = 'a secret that this test alone knows'
const audience = 'urn:trent'

async function serve(): Promise<Served & { readonly by: (configuration: Configuration) => void }> {
  let answer: RequestListener | undefined
  const server = createServer((request, response) => answer?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `http://${host}`
  return {
    url,
    host,
    by(configuration) {
      answer = new Provider(url, configuration).callback()
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function startRealProvider(): Promise<RealProvider> {
  const { by, ...served } = await serve()
  by({
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt' as const,
          jwt: { sign: { alg: 'RS256' as const } },
        }),
      },
    },
  })
  return {
    ...served,
    subject: clientId,
    audience,
    async token() {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      })
      const response = await fetch(`${served.url}/token`, { method: 'POST', body })
      const { access_token: token } = (await response.json()) as { readonly access_token: string }
      return token
    },
  }
}

export async function startPeopleProvider(): Promise<PeopleProvider> {
  const { by, ...served } = await serve()
  const admit: PeopleProvider['admit'] = (id, redirectUri, secret) =>
    by({
      ...(secret !== undefined && { clientAuthMethods: [secret.method] }),
      clients: [
        {
          client_id: id,
          token_endpoint_auth_method: secret?.method ?? 'none',
          ...(secret !== undefined && { client_secret: secret.value }),
          // Its redirect URI is an http URL of this machine.
          application_type: 'native',
          grant_types: ['authorization_code'],
          response_types: ['code'],
          redirect_uris: [redirectUri],
        },
      ],
      pkce: { required: () => true },
    })
  return { ...served, admit }
}
