/**
 * Who is signed in. Credentials live in this closure only: never in storage, a URL or a log. A reload of the
 * page ends the session.
 * @module
 */

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** When temporary credentials end. */
  readonly expiration?: Date
}

export interface Identity {
  readonly accountId: string
  readonly arn: string
}

export interface Role {
  readonly arn: string
  readonly sessionName: string
}

export interface SignedIn {
  readonly credentials: Credentials
  readonly identity: Identity
  /** How the session came about, when it is of a role that the user switched to. */
  readonly assumed?: { readonly by: SignedIn; readonly role: Role }
}

export interface SessionState {
  readonly signedIn?: SignedIn
  /** The server does not take the credentials any more. The page keeps its forms and asks to sign in again. */
  readonly ended: boolean
}

export interface Session {
  readonly current: () => SessionState
  readonly subscribe: (listener: () => void) => () => void
  readonly signIn: (signedIn: SignedIn) => void
  readonly signOut: () => void
  /** Resolves when somebody has signed in anew. Rejects at a sign-out. */
  readonly renewed: (of: Credentials) => Promise<void>
}

/** The user signed out while a call waited for a new session. */
export class SignedOut extends Error {}

export function createSession(): Session {
  let state: SessionState = { ended: false }
  const listeners = new Set<() => void>()
  let waiting: PromiseWithResolvers<void>[] = []
  const become = (next: SessionState): void => {
    state = next
    for (const listener of listeners) listener()
  }
  const release = (how: (each: PromiseWithResolvers<void>) => void): void => {
    const released = waiting
    waiting = []
    for (const each of released) how(each)
  }
  return {
    current: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    signIn(signedIn) {
      become({ signedIn, ended: false })
      release(({ resolve }) => resolve())
    },
    signOut() {
      become({ ended: false })
      release(({ reject }) => reject(new SignedOut()))
    },
    renewed(of) {
      // Another call may have led to a new session already.
      if (state.signedIn?.credentials !== of) return Promise.resolve()
      const renewal = Promise.withResolvers<void>()
      waiting.push(renewal)
      if (!state.ended) become({ ...state, ended: true })
      return renewal.promise
    },
  }
}
