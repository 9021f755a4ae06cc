/** Data that a screen asks the server for, with its states. @module */
import { useCallback, useEffect, useRef, useState } from 'react'

export type Asked<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'here'; readonly value: T }

/**
 * Asks when `name` changes, and again at `again()`. An older answer never replaces a newer one. While it
 * asks again, the screen keeps what it shows.
 * @param name names what is asked for: its parts in one text
 */
export function useAsked<T>(
  name: string,
  ask: () => Promise<T>,
): { readonly asked: Asked<T>; readonly again: () => void } {
  const [asked, setAsked] = useState<Asked<T> & { readonly name?: string }>({ state: 'loading' })
  const latest = useRef(0)
  const question = useRef(ask)
  question.current = ask
  const again = useCallback(() => {
    latest.current += 1
    const turn = latest.current
    question.current().then(
      (value) => turn === latest.current && setAsked({ state: 'here', value, name }),
      (error: unknown) => turn === latest.current && setAsked({ state: 'failed', error, name }),
    )
  }, [name])
  useEffect(() => {
    again()
    return () => {
      latest.current += 1
    }
  }, [again])
  // What was asked under another name is not shown.
  const shown: Asked<T> = asked.name === name ? asked : { state: 'loading' }
  return { asked: shown, again }
}

/** An action of the user: whether it runs, and how it failed. */
export function useAction<A extends readonly unknown[]>(
  act: (...given: A) => Promise<void>,
): {
  readonly run: (...given: A) => void
  readonly running: boolean
  readonly error: unknown
  readonly clear: () => void
} {
  const [running, setRunning] = useState(false)
  const [error, setError] = useState<unknown>(undefined)
  const run = (...given: A): void => {
    setRunning(true)
    setError(undefined)
    act(...given)
      .catch((failure: unknown) => setError(failure))
      .finally(() => setRunning(false))
  }
  return { run, running, error, clear: () => setError(undefined) }
}
