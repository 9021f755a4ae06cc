/** Signed calls of Trent's own paths. @module */
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Aws } from './aws.ts'
import type { Credentials } from './session.ts'

/** Answers as the SDK's errors do, so that one function shows both. */
class TrentError extends Error {
  readonly $metadata: { readonly requestId?: string; readonly httpStatusCode: number }

  constructor(name: string, message: string, $metadata: TrentError['$metadata']) {
    super(message)
    this.name = name
    this.$metadata = $metadata
  }
}

class TrentClient {
  readonly #region: string
  readonly #credentials: Credentials

  constructor({ region, credentials }: { region: string; credentials: Credentials }) {
    this.#region = region
    this.#credentials = credentials
  }

  async post(path: string, input: object): Promise<unknown> {
    const body = JSON.stringify(input)
    const signer = new SignatureV4({
      service: 'trent',
      region: this.#region,
      sha256: Sha256,
      credentials: this.#credentials,
    })
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: location.protocol,
      hostname: location.hostname,
      path,
      query: {},
      headers: { host: location.host, 'content-type': 'application/json' },
      body,
    })
    // A browser sets the header itself, and lets no script do it.
    const { host: _host, ...sent } = headers
    const response = await fetch(path, { method: 'POST', headers: sent, body })
    const requestId = response.headers.get('x-amzn-requestid')
    const answer = (await response.json()) as Readonly<Record<string, unknown>>
    if (response.ok) return answer
    const { __type: type = 'Error', message, Message: text = message } = answer
    throw new TrentError(
      typeof type === 'string' ? type : 'Error',
      typeof text === 'string' ? text : '',
      {
        httpStatusCode: response.status,
        ...(requestId !== null && { requestId }),
      },
    )
  }
}

/** @returns the answer, which the caller knows the type of */
export function askTrent(aws: Aws, region: string, path: string, input: object): Promise<unknown> {
  return aws.run(TrentClient, region, (client) => client.post(path, input))
}
