/** Applies the managed policies of a document. @module */
import { identifierOf, uniqueIdCharacters } from '../../../model/identity.ts'
import {
  defaultDocument,
  managedPolicyArn,
  type ManagedPolicyRecord,
} from '../../../model/managed-policy.ts'
import { DuplicateRow } from '../../../store/store.ts'
import { policiesMax } from '../../iam/create-policy.ts'
import { checkManagedPolicy, versionsMax } from '../../iam/managed-policy.ts'
import { checkName, checkPath } from '../../iam/members.ts'
import { documentText, sameDocument, type Applying } from './applying.ts'
import type { PolicyEntry } from './document.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'
import { identityTagsOf } from './tags.ts'

export async function applyManagedPolicy(
  applying: Applying,
  accountId: string,
  entry: PolicyEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction } = applying
  await placed([...place, 'name'], () => checkName('policyName', entry.name))
  await placed([...place, 'path'], () => checkPath(entry.path))
  const document = documentText(entry.document)
  await placed([...place, 'document'], () => checkManagedPolicy(document))
  const present = await transaction.findManagedPolicyByName(accountId, entry.name)
  await (present === undefined
    ? createPolicy(applying, accountId, entry, place)
    : updatePolicy(applying, present, entry, place))
}

async function createPolicy(
  { transaction, partition, dependencies, now, note, prune }: Applying,
  accountId: string,
  entry: PolicyEntry,
  place: DocumentPath,
): Promise<void> {
  const { name, path = '/', description = '' } = entry
  if ((await transaction.countManagedPolicies(accountId)) >= policiesMax) {
    const message = `there would be more than ${policiesMax} managed policies`
    throw refusalAt(place, message, 'LimitExceededException')
  }
  const document = documentText(entry.document)
  const policy = {
    policyId: identifierOf('ANPA', dependencies.random.bytes(uniqueIdCharacters)),
    accountId,
    name,
    path,
    description,
    versions: [{ versionId: 'v1', document, createdAt: now }],
    defaultVersionId: 'v1',
    nextVersion: 2,
    attachments: 0,
    boundaries: 0,
    tags: (await identityTagsOf([], entry.tags, [...place, 'tags'], prune)) ?? [],
    createdAt: now,
    updatedAt: now,
  }
  try {
    await transaction.insertManagedPolicy(policy)
  } catch (error) {
    if (!(error instanceof DuplicateRow)) throw error
    throw refusalAt([...place, 'name'], `a policy's name differs from \`${name}\` in case only`)
  }
  note({ change: 'create', type: 'managed policy', name: managedPolicyArn(partition, policy) })
}

async function updatePolicy(
  { transaction, partition, now, note, prune }: Applying,
  present: ManagedPolicyRecord,
  entry: PolicyEntry,
  place: DocumentPath,
): Promise<void> {
  const { path = present.path, description = present.description } = entry
  const name = managedPolicyArn(partition, present)
  if (path !== present.path) throw refusalAt([...place, 'path'], `differs from that of ${name}`)
  if (description !== present.description) {
    throw refusalAt([...place, 'description'], `differs from that of ${name}, which cannot change`)
  }
  const document = documentText(entry.document)
  const same = sameDocument(defaultDocument(present) ?? '', document)
  const tags = await identityTagsOf(present.tags, entry.tags, [...place, 'tags'], prune)
  if (same && tags === undefined) return
  const versionId = `v${present.nextVersion}`
  await transaction.updateManagedPolicy(present, {
    updatedAt: now,
    ...(tags !== undefined && { tags }),
    ...(!same && {
      versions: [...withoutOldest(present), { versionId, document, createdAt: now }],
      nextVersion: present.nextVersion + 1,
      defaultVersionId: versionId,
    }),
  })
  const members = [...(same ? [] : ['document']), ...(tags === undefined ? [] : ['tags'])]
  note({ change: 'update', type: 'managed policy', name, members })
}

/** Makes room for a version: at the maximum, drops the oldest version that is not the default. */
function withoutOldest({
  versions,
  defaultVersionId,
}: ManagedPolicyRecord): ManagedPolicyRecord['versions'] {
  if (versions.length < versionsMax) return versions
  const oldest = versions.find(({ versionId }) => versionId !== defaultVersionId)
  return versions.filter((version) => version !== oldest)
}
