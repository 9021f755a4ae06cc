/**
 * Services that stand on a server, as their developers would write them: registered by an operator, proving
 * the requests of their users, and calling for them.
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KMSClient } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { CreatedForwardAccessSession } from '../../src/operations/trent/create-forward-access-session.ts'
import type { CreatedInfrastructureSession } from '../../src/operations/trent/create-infrastructure-session.ts'
import type { RegisteredService } from '../../src/operations/trent/register-service.ts'
import { signed, type Signing } from '../authenticate/signer.ts'
import { region } from '../harness.ts'
import { openIdentities, type Credentials, type Identities, type Signed } from './identities.ts'
import { send, type HttpAnswer } from './signed-http.ts'

/** What a service says that it was sent. */
export interface Proof {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly headers: Readonly<Record<string, string>>
  readonly payloadHash: string
  readonly durationSeconds?: number
}

export interface TestService extends RegisteredService {
  /** Calls a path of Trent's own, signed by the service. */
  readonly post: (path: string, body: object, signing?: Signing) => Promise<HttpAnswer>
  /** A request that `user` has signed, to this service. */
  readonly sent: (user: Pick<Signed, 'credentials'>, signing?: Signing) => Promise<Proof>
  /** Proves it, which must succeed. */
  readonly prove: (proof: Proof) => Promise<CreatedForwardAccessSession>
  /** Proves a request of `user` and answers a client that calls for it. */
  readonly kmsFor: (user: Pick<Signed, 'credentials'>, signing?: Signing) => Promise<KMSClient>
  /** A client that signs as the service and sends these headers as well. */
  readonly kmsWith: (headers: Readonly<Record<string, string>>) => KMSClient
  /** A client of what it runs. */
  readonly infrastructure: (accountId: string, resource: string) => Promise<KMSClient>
}

export interface Services extends Identities {
  readonly register: (name: string, ...hosts: readonly string[]) => Promise<TestService>
}

export async function openServices(
  t: { after(end: () => Promise<void>): void },
  settings: Parameters<typeof openIdentities>[1] = {},
): Promise<Services> {
  const identities = await openIdentities(t, settings)
  // What was signed in the second of the start is not taken.
  await sleep(1000 - (Date.now() % 1000))
  const register: Services['register'] = async (name, ...hosts) => {
    const input = { name, region, ...(hosts.length > 0 && { hosts }) }
    const made = await callOperator(identities.server.directory, 'RegisterService', input)
    return serviceOf(made as RegisteredService, identities)
  }
  return { ...identities, register }
}

/** The service with credentials that were told. */
export function serviceOf(made: RegisteredService, { server }: Identities): TestService {
  const { name, hosts, accessKeyId, secretAccessKey } = made
  const scope = name.split('.')[0] ?? ''
  const host = (hosts[0] ?? '').replace('*.', 'any.')
  const post: TestService['post'] = async (path, body, signing = {}) =>
    send(
      { port: server.port },
      await signed({
        at: Date.now(),
        service: 'trent',
        region: made.region,
        path,
        accessKeyId,
        secret: secretAccessKey,
        body: JSON.stringify(body),
        ...signing,
        headers: {
          host: `127.0.0.1:${server.port}`,
          'content-type': 'application/json',
          ...signing.headers,
        },
      }),
    )
  const posted = async (path: string, body: object): Promise<unknown> => {
    const { status, text } = await post(path, body)
    assert.equal(status, 200, text)
    return JSON.parse(text)
  }
  const sent: TestService['sent'] = async (user, signing = {}) =>
    proofOf({
      service: scope,
      region: made.region,
      method: 'PUT',
      path: '/',
      body: 'an object',
      ...signing,
      ...signerOf(user.credentials),
      headers: { host, ...signing.headers },
    })
  const prove: TestService['prove'] = async (proof) =>
    (await posted('/_trent/fas', proof)) as CreatedForwardAccessSession
  const kmsWith: TestService['kmsWith'] = (headers) =>
    sending(headers, server.client({ credentials: { accessKeyId, secretAccessKey } }))
  return {
    ...made,
    post,
    sent,
    prove,
    kmsWith,
    async kmsFor(user, signing) {
      const { forwardAccessSession } = await prove(await sent(user, signing))
      return kmsWith({ 'x-amz-forward-access-session': forwardAccessSession })
    },
    async infrastructure(accountId, resource) {
      const told = (await posted('/_trent/infrastructure-session', {
        accountId,
        resource,
      })) as CreatedInfrastructureSession
      const { accessKeyId: key, secretAccessKey: secret, sessionToken } = told
      return server.client({
        credentials: { accessKeyId: key, secretAccessKey: secret, sessionToken },
      })
    },
  }
}

interface Sending {
  readonly middlewareStack: Pick<KMSClient['middlewareStack'], 'add'>
}

/** The client, which from now on sends these headers as well, signed. */
export function sending<Client extends Sending>(
  headers: Readonly<Record<string, string>>,
  client: Client,
): Client {
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, headers)
      return next(args)
    },
    { step: 'build' },
  )
  return client
}

let proofs = 0

/** A signed request as a service forwards it; no two are the same. */
export async function proofOf(signing: Signing): Promise<Proof> {
  const { body = '' } = signing
  const payloadHash = createHash('sha256').update(body).digest('hex')
  proofs += 1
  const { method, target, rawHeaders } = await signed({
    at: Date.now(),
    ...signing,
    body,
    headers: {
      'X-Amz-Target': 'none',
      'x-amz-content-sha256': payloadHash,
      'x-test-number': String(proofs),
      ...signing.headers,
    },
  })
  const [path = '', query = ''] = target.split('?')
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  )
  return { method, path, query, headers: Object.fromEntries(pairs), payloadHash }
}

export function signerOf(credentials: Credentials): Signing {
  const { accessKeyId, secretAccessKey: secret, sessionToken } = credentials
  return { accessKeyId, secret, ...(sessionToken !== undefined && { sessionToken }) }
}
