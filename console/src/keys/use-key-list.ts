/** The list of keys that tables and the overview share. @module */
import { useState, useSyncExternalStore } from 'react'
import { useConsole } from '../shell/context.ts'
import { type KeyList, type KeyListState, listKeys } from './key-list.ts'

/** The list is kept while the user looks at single keys. */
export function useKeyList(): readonly [KeyList, KeyListState, () => void] {
  const { aws, region, kept } = useConsole()
  const name = `keys ${region}`
  const [, setTurn] = useState(0)
  const list = (kept.get(name) as KeyList | undefined) ?? listKeys(aws, region) // stored here only
  kept.set(name, list)
  const state = useSyncExternalStore(list.subscribe, list.state)
  const reload = (): void => {
    list.stop()
    kept.delete(name)
    setTurn((turn) => turn + 1)
  }
  return [list, state, reload]
}
