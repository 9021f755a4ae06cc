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

function screen(load: () => Promise<ComponentType<ScreenProps>>): ScreenEntry['show'] {
  return lazy(async () => ({ default: await load() }))
}

const keyScreen = screen(async () => (await import('../key/key-screen.tsx')).KeyScreen)

/** The screen of one key, below the tables of keys. */
export const detailScreens: Readonly<Record<string, ScreenEntry['show']>> = {
  keys: keyScreen,
  'aws-keys': keyScreen,
}

export const screens: readonly ScreenEntry[] = [
  {
    path: 'overview',
    title: text.screens.overview,
    show: screen(async () => (await import('../overview/overview-screen.tsx')).OverviewScreen),
  },
  {
    path: 'keys',
    title: text.screens.keys,
    show: screen(async () => (await import('../keys/keys-screen.tsx')).KeysScreen),
  },
  {
    path: 'aws-keys',
    title: text.screens.awsKeys,
    show: screen(async () => (await import('../keys/keys-screen.tsx')).AwsKeysScreen),
  },
  {
    path: 'stores',
    title: text.screens.stores,
    show: screen(async () => (await import('../stores/stores-screen.tsx')).StoresScreen),
  },
  {
    path: 'activity',
    title: text.screens.activity,
    show: screen(async () => (await import('../activity/activity-screen.tsx')).ActivityScreen),
  },
  {
    path: 'trails',
    title: text.screens.trails,
    show: screen(async () => (await import('../trails/trails-screen.tsx')).TrailsScreen),
  },
  {
    path: 'try',
    title: text.screens.tryIt,
    show: screen(async () => (await import('../try-it/try-screen.tsx')).TryScreen),
  },
  {
    path: 'why',
    title: text.screens.why,
    show: screen(async () => (await import('../access/why-screen.tsx')).WhyScreen),
  },
  {
    path: 'server',
    title: text.screens.server,
    show: screen(async () => (await import('../server/server-screen.tsx')).ServerScreen),
  },
  {
    path: 'create-key',
    title: text.screens.createKey,
    isHidden: true,
    show: screen(async () => (await import('../create/create-key-screen.tsx')).CreateKeyScreen),
  },
]
