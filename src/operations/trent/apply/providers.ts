/** Applies the OpenID Connect providers of a document. @module */
import { oidcProviderArn, readIssuer } from '../../../model/oidc-provider.ts'
import { providersMax } from '../../iam/create-open-id-connect-provider.ts'
import { checkIssuer, clientIdsOf, thumbprintsOf } from '../../iam/oidc-provider.ts'
import { sameList, type Applying } from './applying.ts'
import type { ProviderEntry } from './document.ts'
import { requireBelow } from './identities.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import { identityTagsOf } from './tags.ts'

export async function applyProvider(
  applying: Applying,
  accountId: string,
  entry: ProviderEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, dependencies, now, note, prune } = applying
  const { url } = entry
  await placed([...place, 'url'], () => checkIssuer(url))
  if (!dependencies.webIdentity.mayBeIssuer(url)) {
    const message = 'is at an address that the settings do not allow: TRENT_WEB_IDENTITY_HOSTS'
    throw refusalAt([...place, 'url'], message)
  }
  const ref = { accountId, name: readIssuer(url)?.name ?? '' }
  const present = await transaction.findOidcProvider(ref)
  if (present !== undefined && present.url !== url) {
    throw refusalAt([...place, 'url'], `there is a provider of the same name: ${present.url}`)
  }
  const clientIds = await placed([...place, 'clientIds'], () =>
    clientIdsOf([...(prune ? [] : (present?.clientIds ?? [])), ...(entry.clientIds ?? [])]),
  )
  // The list replaces the present one, because certificates rotate.
  const thumbprints = await placed([...place, 'thumbprints'], () =>
    entry.thumbprints === undefined && !prune
      ? (present?.thumbprints ?? [])
      : thumbprintsOf(entry.thumbprints),
  )
  const tags = await identityTagsOf(present?.tags ?? [], entry.tags, [...place, 'tags'], prune)
  const name = oidcProviderArn(partition, ref)
  if (present === undefined) {
    const all = await transaction.listOidcProviders(accountId)
    requireBelow(all.length, providersMax, 'providers', place)
    const made = { ...ref, url, clientIds, thumbprints, tags: tags ?? [], createdAt: now }
    await transaction.insertOidcProvider(made)
    note({ change: 'create', type: 'OIDC provider', name })
    return
  }
  const changes = {
    ...(!sameList([...clientIds].sort(), [...present.clientIds].sort()) && { clientIds }),
    ...(!sameList(thumbprints, present.thumbprints) && { thumbprints }),
    ...(tags !== undefined && { tags }),
  }
  const members = Object.keys(changes)
  if (members.length === 0) return
  await transaction.updateOidcProvider(present, changes)
  note({ change: 'update', type: 'OIDC provider', name, members })
}
