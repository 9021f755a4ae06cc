/** An identity provider on loopback that publishes and signs whatever a test has it say. @module */
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT, type JWK, type JWTPayload } from 'jose'

export interface SigningPair {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function newPair(): SigningPair {
  return { kid: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

export interface Issuer {
  readonly url: string
  /** `127.0.0.1:<port>`: what the settings call it. */
  readonly host: string
  /** How often its keys were asked for. */
  readonly asked: () => number
  /** What it publishes and signs with from now on, the last with the last. */
  readonly publish: (...pairs: readonly SigningPair[]) => void
  /** Answers in the place of its own. `undefined` goes back to them, and so does `'own'` for one request. */
  readonly answer: (
    how: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined,
  ) => void
  /** A good token, but for what `claims` replace; `undefined` leaves one out. */
  readonly sign: (claims?: JWTPayload, with_?: SigningPair) => Promise<string>
  readonly close: () => Promise<void>
}

export const audience = 'trent'

export async function startIssuer(path = ''): Promise<Issuer> {
  let pairs: readonly SigningPair[] = [newPair()]
  let asked = 0
  let answering: Parameters<Issuer['answer']>[0]
  const server = createServer((request, response) => {
    if (request.url === `${path}/keys`) asked += 1
    if (answering !== undefined && answering(request, response) !== 'own') return undefined
    return void respond(request.url ?? '').then((body) => response.end(JSON.stringify(body)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `http://${host}${path}`
  const respond = async (target: string): Promise<unknown> => {
    if (target === `${path}/keys`) {
      const keys = pairs.map(async ({ kid, publicKey }): Promise<JWK> => {
        return { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'ES256' }
      })
      return { keys: await Promise.all(keys) }
    }
    return { issuer: url, jwks_uri: `${url}/keys` }
  }
  return {
    url,
    host,
    asked: () => asked,
    publish: (...given) => {
      pairs = given
    },
    answer: (how) => {
      answering = how
    },
    async sign(claims = {}, pair = pairs.at(-1)) {
      if (pair === undefined) throw new Error('there is no key to sign with')
      const now = Math.floor(Date.now() / 1000)
      const own = { iss: url, sub: 'job-1', aud: audience, iat: now, exp: now + 600 }
      return new SignJWT({ ...own, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: pair.kid })
        .sign(pair.privateKey)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
