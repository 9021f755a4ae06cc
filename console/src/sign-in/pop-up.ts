/**
 * A person's sign-in at an identity provider, in a pop-up: OpenID Connect's authorization code with PKCE. Verifier,
 * state and nonce live in this function's memory only.
 * @see https://www.rfc-editor.org/rfc/rfc7636
 * @module
 */
import { providerText } from '../text/sign-in.ts'

/** As the server's settings name it. */
export interface SignInProvider {
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly scope: string
  readonly role?: string
}

export interface ProvenToken {
  readonly idToken: string
  readonly sessionName: string
}

/** Must be called from a click, or the browser blocks the pop-up. */
export async function askProvider(provider: SignInProvider): Promise<ProvenToken> {
  const popUp = window.open('', '', 'popup,width=520,height=700')
  if (popUp === null) throw new Error(providerText.blocked)
  try {
    const [verifier, state, nonce] = [secret(), secret(), secret()]
    const { authorizationEndpoint } = await post<{ readonly authorizationEndpoint: string }>(
      'begin',
      { provider: provider.name },
    )
    const url = new URL(authorizationEndpoint)
    for (const [name, value] of Object.entries({
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: `${location.origin}/console/signed-in.html`,
      scope: provider.scope,
      state,
      nonce,
      code_challenge: await challengeOf(verifier),
      code_challenge_method: 'S256',
    })) {
      url.searchParams.set(name, value)
    }
    popUp.location.replace(url)
    const code = codeIn(await answerOf(popUp), provider, state)
    return await post<ProvenToken>('exchange', { provider: provider.name, code, verifier, nonce })
  } finally {
    popUp.close()
  }
}

/** 256 random bits, in the characters that a verifier may have. */
function secret(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return base64url(new Uint8Array(digest))
}

function base64url(bytes: Uint8Array<ArrayBuffer>): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

type Answer = Readonly<Partial<Record<string, unknown>>>

/** Milliseconds between two looks at the window. */
const lookMs = 500

/** What the provider has sent back, as the last page in the pop-up hands it over. */
function answerOf(popUp: Window): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const listen = ({ source, origin, data }: MessageEvent<{ readonly signedIn?: Answer }>): void => {
    if (source !== popUp || origin !== location.origin) return
    resolve(data.signedIn ?? {})
  }
  let wasClosed = false
  const timer = setInterval(() => {
    // The message of a window that has closed itself may still be on its way.
    if (wasClosed) reject(new Error(providerText.closed))
    wasClosed = popUp.closed
  }, lookMs)
  addEventListener('message', listen)
  return promise.finally(() => {
    clearInterval(timer)
    removeEventListener('message', listen)
  })
}

/** @throws unless the answer belongs to this sign-in and has a code */
function codeIn(answer: Answer, { issuer }: SignInProvider, state: string): string {
  const { code, error, state: theirs, iss = issuer } = answer
  if (theirs !== state) throw new Error(providerText.otherState)
  // A provider that names itself must be the one that was asked (RFC 9207).
  if (iss !== issuer) throw new Error(providerText.otherIssuer)
  if (error !== undefined) {
    const isCode = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error)
    throw new Error(providerText.refused(isCode ? error : ''))
  }
  if (typeof code !== 'string') throw new Error(providerText.noCode)
  return code
}

/** @throws with the server's sentence */
async function post<T>(path: 'begin' | 'exchange', body: object): Promise<T> {
  const response = await fetch(`/console/sign-in/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
  })
  const given: unknown = await response.json().catch(() => ({})) // a proxy may answer in its place
  const answer = given as T & { readonly message?: string } // of the same server
  if (!response.ok) throw new Error(answer.message ?? providerText.status(response.status))
  return answer
}
