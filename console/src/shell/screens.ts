/** Every screen, by the first part of its address. Each is a chunk that loads when it is first shown. @module */
import { type ComponentType, lazy, type LazyExoticComponent } from 'react'
import { text } from '../text/text.ts'
import type { Place } from './router.ts'

export interface ScreenProps {
  readonly place: Place
}

export interface ScreenEntry {
  readonly path: string
  readonly title: string
  /** Reached from another screen, not from the navigation. */
  readonly isHidden?: true
  readonly show: LazyExoticComponent<ComponentType<ScreenProps>>
}

export const screens: readonly ScreenEntry[] = [
  {
    path: 'keys',
    title: text.screens.keys,
    show: lazy(async () => ({ default: (await import('../keys/keys-screen.tsx')).KeysScreen })),
  },
]
