/** Calls on the nodes of a deployment, and what a caller learns from each. @module */
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import * as sts from '@aws-sdk/client-sts'

export type Who = 'root' | 'user' | 'grantee'

/** What a caller learns. */
export type Answer =
  | { readonly kind: 'ok'; readonly output: Output; readonly requestId: string }
  /** A refusal that says what Trent has decided. */
  | { readonly kind: 'refused'; readonly error: string; readonly requestId: string }
  /** The call was not run. */
  | { readonly kind: 'unavailable'; readonly error: string }
  /** It may have had its effect, and may still have it. */
  | { readonly kind: 'unknown'; readonly error: string }

export type Output = Readonly<Record<string, unknown>>

/** Several nodes that answer the same calls. */
export interface Deployment {
  readonly nodes: number
  readonly accountId: string
  /** Whether there is a process that could answer. */
  readonly isUp: (node: number) => boolean
  /**
   * @param who somebody who stays, or the credentials of a moment
   * @param operation of KMS, or of IAM after `iam:`, or of STS after `sts:`
   * @param region default: `homeRegion`
   */
  readonly call: (
    node: number,
    who: Who | Login,
    operation: string,
    input: object,
    region?: string,
  ) => Promise<Answer>
}

export const homeRegion = 'us-west-2'

export interface Login {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** How long a caller waits for an answer. */
const callMaxMs = 10_000

const sdks = { iam, kms, sts }
type Service = keyof typeof sdks
type Client = kms.KMSClient | iam.IAMClient | sts.STSClient

/** The clients of one process of a node. */
export class NodeClients {
  readonly #endpoint: string
  readonly #logins: ReadonlyMap<Who, Login>
  /** Those of callers who stay. */
  readonly #clients = new Map<string, Client>()

  constructor(endpoint: string, logins: ReadonlyMap<Who, Login>) {
    this.#endpoint = endpoint
    this.#logins = logins
  }

  async call(
    who: Who | Login,
    operation: string,
    input: object,
    region = homeRegion,
  ): Promise<Answer> {
    const [service, name] = serviceOf(operation)
    const client = this.#clientOf(who, service, region)
    const abortSignal = AbortSignal.timeout(callMaxMs)
    try {
      const command = commandOf(sdks[service], name, input) as kms.DescribeKeyCommand
      const output = await (client as kms.KMSClient).send(command, { abortSignal })
      return { kind: 'ok', output: { ...output }, requestId: output.$metadata.requestId ?? '' }
    } catch (error) {
      return answerOf(error)
    } finally {
      if (typeof who !== 'string') client.destroy()
    }
  }

  destroy(): void {
    for (const client of this.#clients.values()) client.destroy()
  }

  #clientOf(who: Who | Login, service: Service, region: string): Client {
    if (typeof who !== 'string') return this.#made(who, service, region)
    const name = `${who} ${service} ${region}`
    const known = this.#clients.get(name)
    if (known !== undefined) return known
    const login = this.#logins.get(who)
    if (login === undefined) throw new Error(`${who} has no credentials yet`)
    const made = this.#made(login, service, region)
    this.#clients.set(name, made)
    return made
  }

  #made(credentials: Login, service: Service, region: string): Client {
    const settings = { endpoint: this.#endpoint, region, maxAttempts: 1, credentials }
    if (service === 'iam') return new iam.IAMClient(settings)
    return service === 'sts' ? new sts.STSClient(settings) : new kms.KMSClient(settings)
  }
}

function serviceOf(operation: string): readonly [Service, name: string] {
  const [, service = 'kms', name = ''] = /^(?:(iam|sts):)?(.*)$/.exec(operation) ?? []
  return [service as Service, name] // one of those of the expression
}

/** The command of the SDK with this name. */
function commandOf(sdk: object, operation: string, input: object): unknown {
  const found: unknown = Reflect.get(sdk, `${operation}Command`)
  if (typeof found !== 'function') throw new Error(`no operation ${operation}`)
  return Reflect.construct(found, [input])
}

/** Refusals before anything was decided. */
const notRun = new Set([
  'ServiceUnavailableException',
  'ServiceUnavailable',
  'ThrottlingException',
  'Throttling',
])

function answerOf(error: unknown): Answer {
  if (!(error instanceof Error)) throw error
  const { name } = error
  if (
    error instanceof kms.KMSServiceException ||
    error instanceof iam.IAMServiceException ||
    error instanceof sts.STSServiceException
  ) {
    const { httpStatusCode, requestId } = error.$metadata
    if (notRun.has(name)) return { kind: 'unavailable', error: name }
    if (httpStatusCode !== undefined && httpStatusCode < 500 && requestId !== undefined) {
      return { kind: 'refused', error: name, requestId }
    }
    return { kind: 'unknown', error: name }
  }
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return { kind: 'unavailable', error: code }
  return { kind: 'unknown', error: code ?? name }
}
