/**
 * ListAliases — lists the aliases of an account and Region, or of one key.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
 * @module
 */
import type { ListAliasesRequest, ListAliasesResponse } from '@aws-sdk/client-kms'
import { KmsError } from '../../errors.ts'
import { aliasArn, type AliasRecord, type KeyRef } from '../../model/key.ts'
import { managedAliases } from '../../model/managed-key.ts'
import { integer } from '../../model/shape.ts'
import { readIdentifier, type RequestScope } from '../../model/identifiers.ts'
import type { StoreReads } from '../../store/store.ts'
import { operation } from '../contract/operation.ts'
import { keyId, marker } from './members.ts'
import { readPage } from '../contract/page.ts'
import type { Page } from '../../store/page.ts'

export const listAliases = operation<ListAliasesRequest, ListAliasesResponse>()({
  name: 'ListAliases',
  input: { KeyId: keyId, Limit: integer({ min: 1, max: 100 }), Marker: marker },
  // The key only filters the list. The permission is on no key, and the key policy does not count.
  keys: {},
  permissions: () => [{ action: 'kms:ListAliases' }],
  readOnly: true,
  audit: ['KeyId', 'Limit', 'Marker'],
  throws: [
    'AccessDeniedException',
    'InvalidArnException',
    'NotFoundException',
    'InvalidMarkerException',
  ],
  async run({ input, caller: { accountId }, partition, region, arn }, { store, pages }) {
    const requestScope = { accountId, region, partition }
    const targetKeyId =
      input.KeyId === undefined ? undefined : await ownKey(input.KeyId, requestScope, store, arn)
    const { rows, paging } = await readPage(pages, {
      scope: ['ListAliases', accountId, region, targetKeyId],
      marker: input.Marker,
      limit: input.Limit ?? 50,
      read: async (page) =>
        targetKeyId === undefined
          ? withManaged(await store.listAliases(accountId, region, page), page)
          : store.listAliases(accountId, region, { ...page, targetKeyId }),
      nameOf: (alias) => alias.name,
    })
    const Aliases = rows.map((alias) => ({
      AliasName: alias.name,
      AliasArn: aliasArn(partition, { accountId, region, name: alias.name }),
      ...('targetKeyId' in alias && {
        TargetKeyId: alias.targetKeyId,
        CreationDate: new Date(alias.createdAt),
        LastUpdatedDate: new Date(alias.updatedAt),
      }),
    }))
    return { Aliases, ...paging }
  },
})

/** The alias of an AWS managed key has no target until that key is first used. */
type Listed = AliasRecord | Pick<AliasRecord, 'name'>

/** Merges the aliases of AWS managed keys, which every account has, into a page in name order. */
function withManaged(
  stored: readonly AliasRecord[],
  { after = '', limit }: Page,
): readonly Listed[] {
  // After a full page, stored aliases may come before a managed one.
  const end = stored.length < limit ? undefined : stored.at(-1)?.name
  const names = new Set(stored.map(({ name }) => name))
  const managed = managedAliases
    .filter((name) => name > after && (end === undefined || name < end) && !names.has(name))
    .map((name): Listed => ({ name }))
  const listed = [...stored, ...managed].toSorted((one, other) => (one.name < other.name ? -1 : 1))
  return listed.slice(0, limit)
}

/** A key of another account gives `NotFoundException`, so nobody learns which keys others have. */
async function ownKey(
  text: string,
  requestScope: RequestScope,
  store: StoreReads,
  arn: (key: KeyRef) => string,
): Promise<string> {
  const identifier = readIdentifier(text, 'key', requestScope)
  const key = identifier.kind === 'key' ? identifier.key : undefined
  const found =
    key?.accountId === requestScope.accountId && key.region === requestScope.region
      ? await store.findKey(key)
      : undefined
  if (found !== undefined) return found.keyId
  const named = key === undefined ? text : arn(key)
  throw new KmsError('NotFoundException', `Key '${named}' does not exist`)
}
