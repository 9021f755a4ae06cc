/** Reads one page of a list and issues the marker of the next page. @module */
import type { Pages } from './dependencies.ts'
import type { Page } from '../../store/page.ts'

export interface PageRequest<Row> {
  /** The operation and everything that selects its list. A marker is valid only for the same scope. */
  readonly scope: readonly (string | undefined)[]
  readonly marker: string | undefined
  readonly limit: number
  /** Returns rows after `page.after`, ordered by name. */
  readonly read: (page: Page) => Promise<readonly Row[]>
  readonly nameOf: (row: Row) => string
}

export interface PageOf<Row> {
  readonly rows: readonly Row[]
  /** The paging members of AWS KMS responses. */
  readonly paging: { readonly Truncated: boolean; readonly NextMarker?: string }
}

/** @throws {KmsError} `InvalidMarkerException` */
export async function readPage<Row>(pages: Pages, request: PageRequest<Row>): Promise<PageOf<Row>> {
  const { marker, limit, read, nameOf } = request
  const after = pages.open(scopeOf(request), marker)
  // One extra row shows whether there is a next page.
  const found = await read({ ...(after === undefined ? {} : { after }), limit: limit + 1 })
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  if (found.length <= limit || last === undefined) return { rows, paging: { Truncated: false } }
  const NextMarker = markerAfter(nameOf(last), pages, request)
  return { rows, paging: { Truncated: true, NextMarker } }
}

/** Returns the marker of the page that begins after the row with this name. */
export function markerAfter(
  name: string,
  pages: Pages,
  request: Pick<PageRequest<never>, 'scope'>,
): string {
  return pages.seal(scopeOf(request), name)
}

/** JSON separates the parts unambiguously. */
function scopeOf({ scope }: Pick<PageRequest<never>, 'scope'>): string {
  return JSON.stringify(scope.map((part) => part ?? null))
}
