/** Applies the accounts of a document, with the access keys of their root users. @module */
import { DuplicateRow } from '../../../store/store.ts'
import type { Organization } from '../../../model/organization.ts'
import { givenOrganization } from '../account-organization.ts'
import { applyAccessKeys } from './access-keys.ts'
import { documentText, sameDocument, type Applying } from './applying.ts'
import type { AccountEntry } from './document.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'

export async function applyAccount(
  applying: Applying,
  entry: AccountEntry,
  place: DocumentPath,
): Promise<void> {
  const { transaction, partition, dependencies, now, note } = applying
  const { accountId, accessKeys = [] } = entry
  const name = `arn:${partition}:iam::${accountId}:root`
  const present = await transaction.findAccount(accountId)
  if (present === undefined) {
    await placed([...place, 'accountId'], () =>
      transaction.insertAccount({ accountId, createdAt: now }),
    )
    note({ change: 'create', type: 'account', name })
  }
  const members = await settleAccount(applying, entry, place)
  if (present !== undefined && members.length > 0) {
    note({ change: 'update', type: 'account', name, members })
  }
  if (accessKeys.length > 0 && accountId === dependencies.server.firstAccount.accountId) {
    throw refusalAt(
      [...place, 'accessKeys'],
      'the access key of the root user of the first account is that of the settings',
    )
  }
  const root = { accountId, principalKind: 'root', principalId: accountId } as const
  await applyAccessKeys(applying, root, accessKeys, [...place, 'accessKeys'])
}

/** Changes an existing account. Returns the changed members. */
async function settleAccount(
  { transaction }: Applying,
  entry: AccountEntry,
  place: DocumentPath,
): Promise<readonly string[]> {
  const account = await transaction.findAccount(entry.accountId)
  if (account === undefined) throw new Error('a created account is missing')
  const { alias = account.alias } = entry
  const given = await placed(place, () => organizationOf(entry, account.organization))
  const changes = {
    ...(alias !== account.alias && { alias }),
    ...(!sameOrganization(given, account.organization) && { organization: given }),
  }
  const members = Object.keys(changes)
  if (members.length === 0) return members
  try {
    await transaction.updateAccount(account, changes)
  } catch (error) {
    if (!(error instanceof DuplicateRow)) throw error
    throw refusalAt([...place, 'alias'], `another account has the alias \`${alias}\``)
  }
  return members
}

/**
 * An account without `organization` in the document stays in its own, so that omitting it lifts no limit.
 */
function organizationOf(
  entry: AccountEntry,
  before: Organization | undefined,
): Organization | undefined {
  const { organizationId, organizationUnit } = entry
  const { serviceControlPolicies: levels, resourceControlPolicies: policies } = entry
  const given = {
    ...(organizationId !== undefined && { organizationId }),
    ...(organizationUnit !== undefined && { organizationUnit }),
    ...(levels && { serviceControlPolicies: levels.map((level) => level.map(documentText)) }),
    ...(policies && { resourceControlPolicies: policies.map(documentText) }),
  }
  return givenOrganization(given, before)
}

function sameOrganization(one: Organization | undefined, other: Organization | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.organizationId === other.organizationId &&
    one.unit === other.unit &&
    one.serviceControlPolicies.length === other.serviceControlPolicies.length &&
    one.serviceControlPolicies.every((level, index) =>
      sameDocuments(level, other.serviceControlPolicies[index] ?? []),
    ) &&
    sameDocuments(one.resourceControlPolicies, other.resourceControlPolicies)
  )
}

function sameDocuments(one: readonly string[], other: readonly string[]): boolean {
  return (
    one.length === other.length &&
    one.every((document, index) => sameDocument(document, other[index] ?? ''))
  )
}
