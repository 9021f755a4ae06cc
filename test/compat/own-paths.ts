/** Calls of Trent's own paths, which users sign with their credentials as the console does. @module */
import { signed } from '../authenticate/signer.ts'
import type { TestServer } from '../harness.ts'
import type { Credentials } from './identities.ts'
import { send, type HttpAnswer } from './signed-http.ts'

export async function askOwn(
  { port }: Pick<TestServer, 'port'>,
  path: string,
  body: object,
  by: Credentials,
): Promise<HttpAnswer> {
  const request = await signed({
    at: Date.now(),
    service: 'trent',
    path,
    accessKeyId: by.accessKeyId,
    secret: by.secretAccessKey,
    body: JSON.stringify(body),
    headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/json' },
  })
  return send({ port }, request)
}
