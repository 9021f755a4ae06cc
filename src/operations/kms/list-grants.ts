/**
 * ListGrants — lists the grants of a key: all, or those with a given id or grantee.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html
 * @module
 */
import type { ListGrantsRequest, ListGrantsResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { granteeOf, type GrantRecord } from '../../model/grant.ts'
import type { KeyRef } from '../../model/key.ts'
import { anyState } from '../../model/key-state.ts'
import { integer } from '../../model/shape.ts'
import { readGrantId } from '../../model/grant-id.ts'
import type { StoreReads } from '../../store/store.ts'
import { operation } from '../contract/operation.ts'
import { grantEntries } from './grant-entry.ts'
import { findGrantPrincipal } from './grant-principals.ts'
import { grantId, marker, principal, requiredKeyId, servicePrincipal } from './members.ts'
import { readPage } from '../contract/page.ts'
import type { Page } from '../../store/page.ts'

export const listGrants = operation<ListGrantsRequest, ListGrantsResponse>()({
  name: 'ListGrants',
  input: {
    Limit: integer({ min: 1, max: 100 }),
    Marker: marker,
    KeyId: requiredKeyId,
    GrantId: grantId,
    GranteePrincipal: principal,
    GranteeServicePrincipal: servicePrincipal,
  },
  keys: {
    key: {
      from: 'KeyId',
      forms: 'key',
      action: 'kms:ListGrants',
      crossAccount: true,
      states: anyState,
    },
  },
  context: () => ({ 'kms:GrantIsForAWSResource': 'false' }),
  readOnly: true,
  audit: ['KeyId', 'Limit', 'Marker', 'GrantId', 'GranteePrincipal', 'GranteeServicePrincipal'],
  throws: [
    'InvalidGrantIdException',
    'ValidationException',
    'InvalidArnException',
    'NotFoundException',
    'AccessDeniedException',
    'InvalidMarkerException',
  ],
  check(input) {
    if (input.GrantId !== undefined) readGrantId(input.GrantId)
    if (input.GranteePrincipal === undefined || input.GranteeServicePrincipal === undefined) return
    const message = 'only one of `GranteePrincipal` and `GranteeServicePrincipal` can be given'
    throw new KmsError('ValidationException', message)
  },
  async run({ input, partition, arn, keys: { key } }, { store, pages, principals }) {
    const found =
      input.GranteePrincipal === undefined
        ? undefined
        : await findGrantPrincipal(
            input.GranteePrincipal,
            partition,
            principals,
            'Input does not refer to a valid principal',
          )
    const grantee = found?.arn ?? input.GranteeServicePrincipal
    const filter: Filter = {
      ...(input.GrantId !== undefined && { grantId: input.GrantId }),
      ...(grantee !== undefined && { grantee }),
      // A service needs no unique id: no other principal can have its name.
      ...(found && found.accountId !== '' && { granteeId: found.uniqueId }),
    }
    const { rows, paging } = await readPage(pages, {
      scope: ['ListGrants', key.accountId, key.region, key.keyId, input.GrantId, grantee],
      marker: input.Marker,
      limit: input.Limit ?? 50,
      read: (page) => readGrants(store, key, filter, page),
      nameOf: (grant) => grant.grantId,
    })
    return { Grants: await grantEntries(rows, { partition, arn }, principals), ...paging }
  },
})

interface Filter {
  readonly grantId?: string
  readonly grantee?: string
  readonly granteeId?: string
}

async function readGrants(
  store: StoreReads,
  { accountId, region, keyId }: KeyRef,
  { grantId: id, ...of }: Filter,
  page: Page,
): Promise<readonly GrantRecord[]> {
  const key = { accountId, region, keyId }
  if (id === undefined) return store.listGrants(key, { ...page, ...of })
  const grant = await store.findGrant({ ...key, grantId: id })
  if (grant === undefined || (page.after !== undefined && id <= page.after)) return []
  const { grantee = granteeOf(grant), granteeId = grant.granteeId } = of
  return granteeOf(grant) === grantee && grant.granteeId === granteeId ? [grant] : []
}
