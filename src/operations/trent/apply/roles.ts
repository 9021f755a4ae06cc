/** Applies the roles of a document in two steps, because their trust policies name each other. @module */
import { identifierOf, uniqueIdCharacters } from '../../../model/identity.ts'
import { maxSessionSecondsByDefault, roleArn, type RoleRecord } from '../../../model/role.ts'
import { reservedPath } from '../../iam/create-role.ts'
import { rolesMax } from '../../iam/new-role.ts'
import { documentText, sameDocument, sameMap, type Applying } from './applying.ts'
import type { RoleEntry } from './document.ts'
import {
  emptyIdentity,
  inserting,
  made,
  noteIdentity,
  requireNamed,
  requireBelow,
  requireSamePath,
} from './identities.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import { policyChanges } from './policies-of.ts'
import { identityTagsOf } from './tags.ts'

/** Creates missing roles, without trust policies yet. Returns their names. */
export async function makeRoles(
  { transaction, dependencies, now }: Applying,
  accountId: string,
  entries: readonly RoleEntry[],
  place: DocumentPath,
): Promise<ReadonlySet<string>> {
  const fresh = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    const at = [...place, index]
    await requireNamed('role', entry, at)
    if (entry.path?.startsWith(reservedPath) === true) {
      const message = `the path \`${reservedPath}\` is reserved for service-linked roles`
      throw refusalAt([...at, 'path'], message)
    }
    const present = await transaction.findRoleByName(accountId, entry.name)
    if (present?.serviceLinked !== undefined) {
      throw refusalAt([...at, 'name'], `\`${entry.name}\` is a service-linked role`)
    }
    if (present !== undefined) {
      requireSamePath(entry, present, at)
      continue
    }
    requireBelow(await transaction.countRoles(accountId), rolesMax, 'roles', at)
    const role = {
      roleId: identifierOf('AROA', dependencies.random.bytes(uniqueIdCharacters)),
      ...emptyIdentity(accountId, entry, now),
      trustPolicy: documentText(entry.trustPolicy),
      trustPrincipals: {},
      description: entry.description ?? '',
      maxSessionSeconds: entry.maxSessionDuration ?? maxSessionSecondsByDefault,
    }
    await inserting('role', entry.name, at, () => transaction.insertRole(role))
    fresh.add(entry.name)
  }
  return fresh
}

/** @param isNew whether `makeRoles` created it */
export async function applyRole(
  applying: Applying,
  accountId: string,
  entry: RoleEntry,
  { place, isNew }: { readonly place: DocumentPath; readonly isNew: boolean },
): Promise<void> {
  const { transaction, partition, note, prune } = applying
  const role = await made(() => transaction.findRoleByName(accountId, entry.name))
  const trust = await trustOf(applying, role, entry, [...place, 'trustPolicy'])
  const tags = await identityTagsOf(role.tags, entry.tags, [...place, 'tags'], prune)
  const { description = role.description, maxSessionDuration = role.maxSessionSeconds } = entry
  const changes = {
    ...trust,
    ...(await policyChanges(applying, 'role', role, entry, place)),
    ...(tags !== undefined && { tags }),
    ...(description !== role.description && { description }),
    ...(maxSessionDuration !== role.maxSessionSeconds && { maxSessionSeconds: maxSessionDuration }),
  }
  if (Object.keys(changes).length > 0) await transaction.updateRole(role, changes)
  const { trustPrincipals: _, ...told } = changes
  const present = isNew ? undefined : role
  noteIdentity(note, 'role', roleArn(partition, role), present, told)
}

/** The policy also changes if a principal was recreated, because it has another unique id. */
async function trustOf(
  { checks, partition }: Applying,
  role: RoleRecord,
  entry: RoleEntry,
  place: DocumentPath,
): Promise<Partial<Pick<RoleRecord, 'trustPolicy' | 'trustPrincipals'>>> {
  const document = documentText(entry.trustPolicy)
  const trustPrincipals = await placed(place, () =>
    checks.trustPolicies.check(document, { partition }),
  )
  const same = sameDocument(document, role.trustPolicy)
  if (same && sameMap(trustPrincipals, role.trustPrincipals)) return {}
  return { trustPolicy: same ? role.trustPolicy : document, trustPrincipals }
}
