/** What every screen gets: the calls, the session, the Region, and messages at the top of the page. @module */
import type { FlashbarProps } from '@cloudscape-design/components/flashbar'
import { createContext, use, useSyncExternalStore } from 'react'
import type { Aws } from '../aws/aws.ts'
import type { Session, SessionState } from '../aws/session.ts'
import type { KeyList } from '../keys/key-list.ts'
import type { SignInProvider } from '../sign-in/pop-up.ts'

/** What the server says before anybody signs in. */
export interface ServerSettings {
  readonly region: string
  readonly regions: readonly string[]
  readonly version: string
  /** Identity providers by which people can sign in. */
  readonly signIn: readonly SignInProvider[]
}

export interface ConsoleContext {
  readonly aws: Aws
  readonly session: Session
  readonly settings: ServerSettings
  readonly region: string
  /** The keys that screens have listed, by Region, while the same principal stays signed in. */
  readonly keyLists: Map<string, KeyList>
  readonly notify: (message: Omit<FlashbarProps.MessageDefinition, 'id' | 'onDismiss'>) => void
}

export const Console = createContext<ConsoleContext | undefined>(undefined)

export function useConsole(): ConsoleContext {
  const context = use(Console)
  if (context === undefined) throw new Error('this screen is outside the console')
  return context
}

export function useSession(session: Session): SessionState {
  return useSyncExternalStore(session.subscribe, session.current)
}
