/** A list that is read page by page: the first by itself, each other when the user asks for it. @module */
import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import { type ReactNode, useState } from 'react'
import { type Asked, useAction, useAsked } from './asked.ts'

export interface Pages<P> {
  /** The first page. */
  readonly asked: Asked<P>
  readonly again: () => void
  readonly pages: readonly P[]
  /** Why a further page could not be read. */
  readonly error: unknown
  /** The button for the next page, for the foot of a table; false after the last page. */
  readonly footer: ReactNode
}

/** @param name names the list, as for `useAsked` */
export function usePages<P>(
  name: string,
  ask: (after?: string) => Promise<P>,
  afterOf: (page: P) => string | undefined,
  label: string,
): Pages<P> {
  const { asked, again } = useAsked(name, () => ask())
  const first = asked.state === 'here' ? asked.value : undefined
  const [more, setMore] = useState<{
    readonly first?: P | undefined
    readonly pages: readonly P[]
  }>({ pages: [] })
  // What followed another first page is not shown.
  const pages = first === undefined ? [] : [first, ...(more.first === first ? more.pages : [])]
  const last = pages.at(-1)
  const after = last === undefined ? undefined : afterOf(last)
  const { run, running, error } = useAction(async () => {
    const next = await ask(after)
    setMore({ first, pages: [...pages.slice(1), next] })
  })
  const footer = after !== undefined && (
    <Box textAlign="center">
      <Button loading={running} onClick={run}>
        {label}
      </Button>
    </Box>
  )
  return { asked, again, pages, error, footer }
}
