/**
 * Calls of the AWS API from the page to its own origin. The browser signs each call with the credentials of
 * the session. A call that meets an ended session waits until the user has signed in again.
 * @module
 */
import type { Credentials, Session } from './session.ts'

interface ClientSettings {
  readonly region: string
  readonly endpoint: string
  readonly credentials: Credentials
  readonly maxAttempts: number
}
type ClientClass<C> = new (settings: ClientSettings) => C

export interface Aws {
  /** @throws what the SDK throws; `SignedOut` */
  run<C, T>(
    type: ClientClass<C>,
    region: string,
    ask: (client: C, credentials: Credentials) => Promise<T>,
  ): Promise<T>
}

/** The SDK tries again when the server restarts or asks to slow down. */
const maxAttempts = 5

export function createAws(session: Session): Aws {
  let clientsOf: Credentials | undefined
  let clients = new Map<unknown, Map<string, unknown>>()
  const clientFor = <C>(type: ClientClass<C>, region: string, credentials: Credentials): C => {
    if (clientsOf !== credentials) {
      clients = new Map()
      clientsOf = credentials
    }
    const byRegion = clients.get(type) ?? new Map<string, unknown>()
    clients.set(type, byRegion)
    const known = byRegion.get(region) as C | undefined // stored below, by its class
    if (known !== undefined) return known
    const client = newClient(type, region, credentials)
    byRegion.set(region, client)
    return client
  }
  return {
    async run(type, region, ask) {
      for (;;) {
        const credentials = session.current().signedIn?.credentials
        if (credentials === undefined) throw new Error('nobody is signed in')
        try {
          return await ask(clientFor(type, region, credentials), credentials)
        } catch (error) {
          if (!isEnded(error)) throw error
          await session.renewed(credentials)
        }
      }
    },
  }
}

export function newClient<C>(type: ClientClass<C>, region: string, credentials: Credentials): C {
  return new type({ ...commonSettings(region), credentials })
}

/** For calls that nobody signs. */
export function unsignedClient<C>(
  type: new (settings: Omit<ClientSettings, 'credentials'>) => C,
  region: string,
): C {
  return new type(commonSettings(region))
}

function commonSettings(region: string): Omit<ClientSettings, 'credentials'> {
  return { region, endpoint: location.origin, maxAttempts }
}

const endedNames: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
])

function isEnded(error: unknown): boolean {
  return error instanceof Error && endedNames.has(error.name)
}
