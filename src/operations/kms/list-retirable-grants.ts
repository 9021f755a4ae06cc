/**
 * ListRetirableGrants — lists the grants that a principal may retire, on keys of any account.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
 * @module
 */
import type { ListRetirableGrantsRequest, ListGrantsResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { readRoleId } from '../../model/role.ts'
import { isServicePrincipal } from '../../model/service.ts'
import { integer } from '../../model/shape.ts'
import { operation } from '../contract/operation.ts'
import { grantEntries } from './grant-entry.ts'
import { findGrantPrincipal } from './grant-principals.ts'
import { marker, principal, servicePrincipal } from './members.ts'
import { readPage } from '../contract/page.ts'
import type { Principals } from '../contract/dependencies.ts'

export const listRetirableGrants = operation<ListRetirableGrantsRequest, ListGrantsResponse>()({
  name: 'ListRetirableGrants',
  input: {
    Limit: integer({ min: 1, max: 100 }),
    Marker: marker,
    RetiringPrincipal: principal,
    RetiringServicePrincipal: servicePrincipal,
  },
  keys: {},
  permissions: () => [{ action: 'kms:ListRetirableGrants' }],
  readOnly: true,
  audit: ['Limit', 'Marker', 'RetiringPrincipal', 'RetiringServicePrincipal'],
  throws: [
    'ValidationException',
    'AccessDeniedException',
    'InvalidArnException',
    'NotFoundException',
    'InvalidMarkerException',
  ],
  check({ RetiringPrincipal, RetiringServicePrincipal }) {
    if ((RetiringPrincipal === undefined) !== (RetiringServicePrincipal === undefined)) return
    const message = 'exactly one of `RetiringPrincipal` and `RetiringServicePrincipal` is needed'
    throw new KmsError('ValidationException', message)
  },
  async run({ input, caller, partition, region, arn }, { store, pages, principals }) {
    const { accountId } = caller
    const { RetiringPrincipal = '', RetiringServicePrincipal } = input
    const service =
      RetiringServicePrincipal ?? (isServicePrincipal(RetiringPrincipal) ? RetiringPrincipal : '')
    const filter =
      service === ''
        ? await ownPrincipal(RetiringPrincipal, accountId, partition, principals)
        : // A service has no account: only grants on keys of the caller's account are listed.
          { retiree: service, accountId }
    const { rows, paging } = await readPage(pages, {
      scope: ['ListRetirableGrants', accountId, region, filter.retiree],
      marker: input.Marker,
      limit: input.Limit ?? 50,
      read: (page) => store.listRetirableGrants(region, { ...page, ...filter }),
      nameOf: (grant) => grant.grantId,
    })
    return { Grants: await grantEntries(rows, { partition, arn }, principals), ...paging }
  },
})

/** Refuses principals of other accounts, so nobody learns what others may retire. */
async function ownPrincipal(
  text: string,
  accountId: string,
  partition: string,
  principals: Principals,
): Promise<{ readonly retiree: string; readonly retireeId: string }> {
  const notFound = new KmsError(
    'NotFoundException',
    `Retiring principal ${text} could not be found`,
  )
  const found = text.startsWith('arn:')
    ? await findGrantPrincipal(text, partition, principals, '')
    : readRoleId(text) && (await principals.ofRoleId(text, partition))
  if (found?.accountId !== accountId) throw notFound
  return { retiree: found.arn, retireeId: found.uniqueId }
}
