/** The list of keys that tables and the overview share. @module */
import { useState, useSyncExternalStore } from 'react'
import { useConsole } from '../shell/context.ts'
import { type KeyList, type KeyListState, listKeys } from './key-list.ts'

/** The list is kept while the user looks at single keys. */
export function useKeyList(): readonly [KeyList, KeyListState, () => void] {
  const { aws, region, keyLists } = useConsole()
  const [, setTurn] = useState(0)
  const list = keyLists.get(region) ?? listKeys(aws, region)
  keyLists.set(region, list)
  const state = useSyncExternalStore(list.subscribe, list.state)
  const reload = (): void => {
    forgetKeys(keyLists, region)
    setTurn((turn) => turn + 1)
  }
  return [list, state, reload]
}

/** The next table reads the keys again. */
export function forgetKeys(keyLists: Map<string, KeyList>, region: string): void {
  keyLists.get(region)?.stop()
  keyLists.delete(region)
}
