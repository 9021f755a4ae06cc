/**
 * Sign-in by an identity provider that the settings name. The page asks where the provider is, and later
 * for the ID token of its authorization code. Nobody is signed in yet, so anybody may ask: the answers are
 * limited by source and in total, and the server keeps nothing.
 * @see docs/adr/0049-console-sign-in.md
 * @module
 */
import { sourceOf } from '../model/address.ts'
import { MalformedJson, parseJsonObject } from '../model/json.ts'
import { bucketMemory, createBuckets, processMilliseconds } from '../throttle/buckets.ts'
import { headerValues } from '../wire/headers.ts'
import { jsonAnswer } from '../wire/refusal.ts'
import type { RawRequest, RawResponse } from '../wire/request.ts'
import type { Route } from '../wire/routes.ts'
import { pageHeaders, returnPage } from './page-headers.ts'
import type { SignInProvider } from './setting.ts'

interface Refused {
  readonly refused: string
  readonly status: number
}

/** Asks an identity provider. Refusals are sentences for the person. */
export interface ProviderCalls {
  readonly authorizationEndpoint: (
    of: SignInProvider,
  ) => Promise<{ readonly authorizationEndpoint: string } | Refused>
  readonly exchange: (
    of: SignInProvider,
    given: {
      readonly code: string
      readonly verifier: string
      readonly nonce: string
      readonly redirectUri: string
    },
  ) => Promise<{ readonly idToken: string; readonly sessionName: string } | Refused>
}

export interface SignIn {
  readonly providers: readonly SignInProvider[]
  readonly calls: ProviderCalls
  /** Milliseconds of a monotonic clock. */
  readonly monotonic?: () => number
}

/** A sign-in asks twice. A source may be a whole office behind one address. */
const sourceLimit = { rate: 1, capacity: 30 } as const
const totalLimit = { rate: 20, capacity: 200 } as const
/** Sources that are remembered. Further ones are refused while all of these have asked lately. */
const sourcesMax = 4096
/** Requests that wait for a provider at once. Each waits for some seconds at most. */
const waitingMax = 64
const bodyBytesMax = 8 * 1024
const retrySeconds = 10

const members = {
  provider: /^\w[\w .-]{0,31}$/,
  code: /^[\x20-\x7e]{1,4096}$/,
  verifier: /^[\w.~-]{43,128}$/,
  nonce: /^[\w-]{22,128}$/,
} as const
type Given = Readonly<Record<keyof typeof members, string>>

type Body = Readonly<Record<string, unknown>>
type Answering = (
  provider: SignInProvider,
  body: Body,
  request: RawRequest,
) => Promise<object | Refused>

function isRefused(answered: object): answered is Refused {
  return 'refused' in answered
}

export function signInRoutes({
  providers,
  calls,
  monotonic = processMilliseconds,
}: SignIn): readonly Route[] {
  if (providers.length === 0) return []
  const buckets = createBuckets(bucketMemory(sourcesMax), monotonic)
  const isAllowed = ({ remoteAddress }: RawRequest): boolean =>
    buckets.draw([
      { bucket: `source ${sourceOf(remoteAddress)}`, ...sourceLimit, count: 1, ofNode: true },
      { bucket: 'all', ...totalLimit, count: 1, ofNode: true },
    ])
  let waiting = 0
  const route = (path: string, answer: Answering): Route => ({
    path: `/console/sign-in/${path}`,
    methods: ['POST'],
    open: 'page',
    bodyBytesMax,
    async handle(request) {
      if (!isAllowed(request)) return busy(429, 'Too many sign-ins. Try again in some seconds.')
      const body = readBody(request)
      const { provider: name } = readGiven(body, ['provider']) ?? {}
      if (name === undefined) return refusal(400, 'The request does not name an identity provider.')
      const provider = providers.find((each) => each.name === name)
      if (provider === undefined) {
        return refusal(404, 'The settings of the server name no such identity provider.')
      }
      if (waiting >= waitingMax) {
        return busy(
          503,
          'Too many people wait for the identity provider. Try again in some seconds.',
        )
      }
      waiting += 1
      try {
        const answered = await answer(provider, body, request)
        return isRefused(answered)
          ? refusal(answered.status, answered.refused)
          : jsonAnswer(200, answered, pageHeaders)
      } finally {
        waiting -= 1
      }
    },
  })
  return [
    route('begin', (provider) => calls.authorizationEndpoint(provider)),
    route('exchange', async (provider, body, request) => {
      const given = readGiven(body, ['code', 'verifier', 'nonce'])
      if (given === undefined) {
        const refused = 'The request needs a code, a verifier and a nonce in their right form.'
        return { refused, status: 400 }
      }
      return calls.exchange(provider, { ...given, redirectUri: redirectUriOf(request) })
    }),
  ]
}

/** The route has made sure that the one Origin is this server's own: no caller chooses another URI. */
function redirectUriOf({ rawHeaders }: RawRequest): string {
  const [origin = ''] = headerValues(rawHeaders, 'origin')
  return `${origin.toLowerCase()}/console/${returnPage}`
}

/** Without members when it is not JSON of this form. */
function readBody({ body }: RawRequest): Body {
  try {
    return parseJsonObject(body, { depthMax: 1, valuesMax: 8 })
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    return {}
  }
}

function readGiven<Name extends keyof Given>(
  body: Body,
  names: readonly Name[],
): Pick<Given, Name> | undefined {
  const read = names.map((name) => [name, body[name]] as const)
  const isGood = read.every(
    ([name, value]) => typeof value === 'string' && members[name].test(value),
  )
  return isGood ? (Object.fromEntries(read) as Pick<Given, Name>) : undefined // tested above
}

function refusal(status: number, message: string): RawResponse {
  return jsonAnswer(status, { message }, pageHeaders)
}

function busy(status: 429 | 503, message: string): RawResponse {
  const headers = { ...pageHeaders, 'Retry-After': String(retrySeconds) }
  return jsonAnswer(status, { message }, headers)
}
