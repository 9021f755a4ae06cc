/** Dates, in the viewer's time zone, with UTC in a tooltip. @module */
import type { ReactNode } from 'react'

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export function Moment({ at }: { readonly at: Date | undefined }): ReactNode {
  if (at === undefined || Number.isNaN(at.getTime())) return '-'
  const utc = `${at.toISOString().replace('T', ' ').slice(0, 19)} UTC`
  return (
    <time dateTime={at.toISOString()} title={utc}>
      {local.format(at)}
    </time>
  )
}
