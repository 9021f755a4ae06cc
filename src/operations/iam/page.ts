/** Pages of IAM lists, with the paging members of their answers. @module */
import { readPage as readAnyPage, type PageRequest } from '../contract/page.ts'
import type { Pages } from '../contract/dependencies.ts'

export interface PageOf<Row> {
  readonly rows: readonly Row[]
  readonly paging: { readonly IsTruncated: boolean; readonly Marker?: string }
}

const itemsByDefault = 100

/** Reads a page from the store. @throws {KmsError} `InvalidMarkerException` */
export async function readPage<Row>(
  pages: Pages,
  {
    limit = itemsByDefault,
    ...request
  }: Omit<PageRequest<Row>, 'limit'> & {
    readonly limit: number | undefined
  },
): Promise<PageOf<Row>> {
  const { rows, paging } = await readAnyPage(pages, { ...request, limit })
  const { Truncated: IsTruncated, NextMarker: Marker } = paging
  return { rows, paging: Marker === undefined ? { IsTruncated } : { IsTruncated, Marker } }
}

/** A page of rows that are all in memory, sorted by name. @throws {KmsError} `InvalidMarkerException` */
export function pageOf<Row>(
  all: readonly Row[],
  nameOf: (row: Row) => string,
  pages: Pages,
  request: Pick<PageRequest<Row>, 'scope' | 'marker'> & { readonly limit: number | undefined },
): Promise<PageOf<Row>> {
  const sorted = all.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
  const read: PageRequest<Row>['read'] = ({ after, limit }) =>
    Promise.resolve(
      sorted.filter((row) => after === undefined || nameOf(row) > after).slice(0, limit),
    )
  return readPage(pages, { ...request, read, nameOf })
}
