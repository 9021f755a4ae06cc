/** Exchanges of codes at a provider on loopback that does whatever a test wants. @module */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, type TestContext } from 'node:test'
import {
  createCodeExchange,
  type CodeExchange,
  type CodeExchangeDependencies,
  type ExchangeRefused,
} from '../../src/authenticate/code-exchange.ts'
import { createFetchDocument, createPostForm } from '../../src/authenticate/issuer-documents.ts'
import { startIssuer } from './issuer.ts'

export const issuer = await startIssuer('/team')
after(() => issuer.close())

export const given = {
  code: 'a code',
  verifier: 'v'.repeat(43),
  nonce: 'n'.repeat(43),
  redirectUri: 'https://trent.example/console/signed-in.html',
}

export const described = {
  issuer: issuer.url,
  authorization_endpoint: `${issuer.url}/authorize`,
  token_endpoint: `${issuer.url}/token`,
  jwks_uri: `${issuer.url}/keys`,
}

export const failed =
  /^The identity provider does not answer as it should\. The log of the server says why\.$/

interface Exchanging extends CodeExchange {
  /** Reasons in the log. */
  readonly errors: string[]
  readonly pass: (ms: number) => void
}

/** @param readSecret of clients that are not public */
export function exchanging(
  hosts: readonly string[] = [issuer.host],
  limitMs = 5000,
  readSecret: CodeExchangeDependencies['readSecret'] = () => assert.fail('a public client'),
): Exchanging {
  const privateHosts = new Set(hosts)
  const errors: string[] = []
  let now = 1_000_000
  const exchange = createCodeExchange({
    fetchDocument: createFetchDocument(privateHosts),
    postForm: createPostForm(privateHosts),
    readSecret,
    privateHosts,
    monotonic: () => now,
    timeLimit: () => AbortSignal.timeout(limitMs),
    onError: (error) => errors.push(error instanceof Error ? error.message : String(error)),
  })
  const pass = (ms: number): void => {
    now += ms
  }
  return { ...exchange, errors, pass }
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => unknown

/** The provider describes itself by `document`, and its token endpoint answers by `token`. */
export function provide(
  t: TestContext,
  token: Answering,
  document: object = described,
): () => number {
  let asked = 0
  t.after(() => issuer.answer(undefined))
  issuer.answer((request, response) => {
    if (request.url?.endsWith('/token') === true) return token(request, response)
    if (request.url?.endsWith('/openid-configuration') !== true) return 'own'
    asked += 1
    return response.end(JSON.stringify(document))
  })
  return () => asked
}

export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}

export const tokenOf = (claims: Readonly<Record<string, unknown>>): Promise<string> =>
  issuer.sign({ aud: 'console', nonce: given.nonce, ...claims })

export async function refused(
  call: Promise<object>,
  status: ExchangeRefused['status'],
  sentence: RegExp,
): Promise<void> {
  const answer = await call
  assert('refused' in answer && 'status' in answer, JSON.stringify(answer))
  assert.match(String(answer.refused), sentence)
  assert.equal(answer.status, status)
}
