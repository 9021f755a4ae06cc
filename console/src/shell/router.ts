/**
 * The address of a screen, in the fragment of the URL: `#/us-west-2/keys/1234…/policy?x=y`. A fragment never
 * reaches a server, and every screen has one that can be shared.
 * @module
 */
import { useSyncExternalStore } from 'react'

export interface Place {
  /** Empty until the first screen is chosen. */
  readonly region: string
  readonly path: readonly string[]
  readonly query: URLSearchParams
}

export function readPlace(fragment: string): Place {
  const [path = '', query = ''] = fragment.replace(/^#\/?/, '').split('?', 2)
  const parts = path.split('/').filter((part) => part !== '')
  const [region = '', ...rest] = parts.map(decoded)
  return { region, path: rest, query: new URLSearchParams(query) }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function hrefOf(
  region: string,
  path: readonly string[],
  query: Readonly<Record<string, string>> = {},
): string {
  const text = [region, ...path].map(encodeURIComponent).join('/')
  const asked = new URLSearchParams(query).toString()
  return `#/${text}${asked === '' ? '' : `?${asked}`}`
}

export function goTo(href: string): void {
  location.hash = href
}

/** Replaces the address without a step in the history. */
export function replacePlace(href: string): void {
  history.replaceState(null, '', href)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

export function usePlace(): Place {
  const fragment = useSyncExternalStore(
    (changed) => {
      addEventListener('hashchange', changed)
      return () => removeEventListener('hashchange', changed)
    },
    () => location.hash,
  )
  return readPlace(fragment)
}
