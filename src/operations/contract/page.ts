/** One page of a list, with the marker of the next. @module */
import type { Pages } from './dependencies.ts'
import type { Page } from '../../store/page.ts'

export interface PageRequest<Row> {
  /** The operation, and all that makes its list another one: a marker is good for just this list. */
  readonly scope: readonly (string | undefined)[]
  readonly marker: string | undefined
  readonly limit: number
  /** Rows after `page.after`, in a fixed order of their names. */
  readonly read: (page: Page) => Promise<readonly Row[]>
  readonly nameOf: (row: Row) => string
}

export interface PageOf<Row> {
  readonly rows: readonly Row[]
  /** The members that every paginated answer of AWS KMS ends with. */
  readonly paging: { readonly Truncated: boolean; readonly NextMarker?: string }
}

/** @throws {KmsError} `InvalidMarkerException` */
export async function readPage<Row>(pages: Pages, request: PageRequest<Row>): Promise<PageOf<Row>> {
  const { marker, limit, read, nameOf } = request
  const after = pages.open(scopeOf(request), marker)
  // One row more than asked for tells whether there is a next page.
  const found = await read({ ...(after === undefined ? {} : { after }), limit: limit + 1 })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  if (found.length <= limit || last === undefined) return { rows, paging: { Truncated: false } }
  const NextMarker = markerAfter(nameOf(last), pages, request)
  return { rows, paging: { Truncated: true, NextMarker } }
}

/** The marker of the page that begins after the row of that name. */
export function markerAfter(
  name: string,
  pages: Pages,
  request: Pick<PageRequest<never>, 'scope'>,
): string {
  return pages.seal(scopeOf(request), name)
}

/** JSON keeps the parts apart, whatever they hold. */
function scopeOf({ scope }: Pick<PageRequest<never>, 'scope'>): string {
  return JSON.stringify(scope.map((part) => part ?? null))
}
