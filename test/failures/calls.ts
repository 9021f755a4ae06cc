/** Calls on the nodes of a deployment, and what a caller learns from each. @module */
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'

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
  /** @param operation of KMS, or of IAM after `iam:` */
  readonly call: (node: number, who: Who, operation: string, input: object) => Promise<Answer>
}

export interface Login {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** How long a caller waits for an answer. */
const callMaxMs = 10_000

/** The clients of one process of a node. */
export class NodeClients {
  readonly #endpoint: string
  readonly #logins: ReadonlyMap<Who, Login>
  readonly #kms = new Map<Who, kms.KMSClient>()
  #iam: iam.IAMClient | undefined

  constructor(endpoint: string, logins: ReadonlyMap<Who, Login>) {
    this.#endpoint = endpoint
    this.#logins = logins
  }

  async call(who: Who, operation: string, input: object): Promise<Answer> {
    const abortSignal = AbortSignal.timeout(callMaxMs)
    try {
      const output = operation.startsWith('iam:')
        ? await this.#iamClient(who).send(
            commandOf(iam, operation.slice('iam:'.length), input) as iam.GetUserCommand,
            { abortSignal },
          )
        : await this.#kmsClient(who).send(
            commandOf(kms, operation, input) as kms.DescribeKeyCommand,
            { abortSignal },
          )
      return { kind: 'ok', output: { ...output }, requestId: output.$metadata.requestId ?? '' }
    } catch (error) {
      return answerOf(error)
    }
  }

  destroy(): void {
    for (const client of this.#kms.values()) client.destroy()
    this.#iam?.destroy()
  }

  #kmsClient(who: Who): kms.KMSClient {
    const client = this.#kms.get(who) ?? new kms.KMSClient(this.#settings(who))
    this.#kms.set(who, client)
    return client
  }

  #iamClient(who: Who): iam.IAMClient {
    return (this.#iam ??= new iam.IAMClient(this.#settings(who)))
  }

  #settings(who: Who) {
    const credentials = this.#logins.get(who)
    if (credentials === undefined) throw new Error(`${who} has no credentials yet`)
    return { endpoint: this.#endpoint, region: 'us-west-2', maxAttempts: 1, credentials }
  }
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
  if (error instanceof kms.KMSServiceException || error instanceof iam.IAMServiceException) {
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
