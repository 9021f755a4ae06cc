/** Whether the window is as narrow as that of a phone. @module */
import { useSyncExternalStore } from 'react'

const narrow = matchMedia('(max-width: 600px)')

export function useNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      narrow.addEventListener('change', changed)
      return () => narrow.removeEventListener('change', changed)
    },
    () => narrow.matches,
  )
}
