/** A certified OpenID Connect provider on loopback, of which a client gets tokens of its own. @module */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export interface RealProvider {
  readonly url: string
  readonly host: string
  readonly subject: string
  readonly audience: string
  readonly token: () => Promise<string>
  readonly close: () => Promise<void>
}

const clientId = 'build-job'
const clientSecret = 'a secret that this test alone knows'
const audience = 'urn:trent'

export async function startRealProvider(): Promise<RealProvider> {
  let answer: RequestListener | undefined
  const server = createServer((request, response) => answer?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `http://${host}`
  const provider = new Provider(url, {
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
  answer = provider.callback()
  return {
    url,
    host,
    subject: clientId,
    audience,
    async token() {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
      })
      const response = await fetch(`${url}/token`, { method: 'POST', body })
      const { access_token: token } = (await response.json()) as { readonly access_token: string }
      return token
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
