/**
 * Applies the policies of a user, role or group: inline policies, attached managed policies and the
 * permissions boundary. The rows of managed policies count their attachments and uses as boundary.
 * @module
 */
import type { IdentityKind, IdentityRecord } from '../../../model/identity.ts'
import type { ManagedPolicyRecord } from '../../../model/managed-policy.ts'
import { attachedMax } from '../../iam/attached-policies.ts'
import { leaveBoundary } from '../../iam/permissions-boundaries.ts'
import { withInlinePolicy } from '../../iam/inline-policies.ts'
import { managedPolicyOf } from '../../iam/managed-policy.ts'
import { checkName } from '../../iam/members.ts'
import {
  iamCallFor,
  documentText,
  sameDocument,
  sameList,
  sameMap,
  type Applying,
} from './applying.ts'
import { type DocumentPath, placed, refusalAt } from './document-path.ts'

type Held = Pick<
  IdentityRecord,
  'accountId' | 'name' | 'inlinePolicies' | 'attachedPolicies' | 'permissionsBoundary'
>
interface Wanted {
  readonly policies?: Readonly<Record<string, unknown>>
  readonly attachedPolicies?: readonly string[]
  readonly permissionsBoundary?: string
}

/** Changes to the row of an identity: only members that differ. */
export interface PolicyChanges {
  readonly inlinePolicies?: IdentityRecord['inlinePolicies']
  readonly attachedPolicies?: readonly string[]
  readonly permissionsBoundary?: string | undefined
}

export async function policyChanges(
  applying: Applying,
  kind: IdentityKind,
  present: Held,
  wanted: Wanted,
  place: DocumentPath,
): Promise<PolicyChanges> {
  const inlinePolicies = await inlineOf(applying, kind, present, wanted, [...place, 'policies'])
  const attachedPolicies = await attachedOf(applying, present, wanted, [
    ...place,
    'attachedPolicies',
  ])
  const boundary = await boundaryOf(applying, present, wanted, [...place, 'permissionsBoundary'])
  return {
    ...(inlinePolicies !== undefined && { inlinePolicies }),
    ...(attachedPolicies !== undefined && { attachedPolicies }),
    ...boundary,
  }
}

/** Removes the attachments and the boundary of an identity before it is deleted. */
export async function releasePolicies(applying: Applying, present: Held): Promise<void> {
  const { transaction } = applying
  await countAttachments(applying, present.attachedPolicies, [])
  await leaveBoundary(present.permissionsBoundary, transaction)
}

async function inlineOf(
  { prune }: Applying,
  kind: IdentityKind,
  present: Held,
  { policies = {} }: Wanted,
  place: DocumentPath,
): Promise<IdentityRecord['inlinePolicies'] | undefined> {
  const kept = Object.entries(present.inlinePolicies).filter(
    ([name]) => !prune || Object.hasOwn(policies, name),
  )
  let result: IdentityRecord['inlinePolicies'] = Object.fromEntries(kept)
  for (const [name, given] of Object.entries(policies)) {
    const at = [...place, name]
    const document = documentText(given)
    const before = Object.hasOwn(result, name) ? result[name] : undefined
    if (before !== undefined && sameDocument(before, document)) continue
    const held = { name: present.name, inlinePolicies: result }
    result = await placed(at, () => {
      if (name.length > 128) throw refusalAt(at, 'the name of a policy has at most 128 characters')
      checkName('policyName', name)
      return withInlinePolicy(kind, held, name, document)
    })
  }
  return sameMap(result, present.inlinePolicies) ? undefined : result
}

async function attachedOf(
  applying: Applying,
  present: Held,
  { attachedPolicies = [] }: Wanted,
  place: DocumentPath,
): Promise<readonly string[] | undefined> {
  const wanted: string[] = []
  for (const [index, name] of attachedPolicies.entries()) {
    const { policyId } = await policyNamed(applying, present.accountId, name, [...place, index])
    if (!wanted.includes(policyId)) wanted.push(policyId)
  }
  const before = present.attachedPolicies
  const kept = before.filter((id) => !applying.prune || wanted.includes(id))
  const result = [...kept, ...wanted.filter((id) => !kept.includes(id))]
  if (sameList(result, before)) return undefined
  if (result.length > attachedMax) {
    const message = `there would be more than ${attachedMax} attached policies`
    throw refusalAt(place, message, 'LimitExceededException')
  }
  await countAttachments(applying, before, result)
  return result
}

async function countAttachments(
  { transaction }: Applying,
  before: readonly string[],
  after: readonly string[],
): Promise<void> {
  for (const id of new Set([...before, ...after])) {
    const by = Number(after.includes(id)) - Number(before.includes(id))
    const policy = by === 0 ? undefined : await transaction.findManagedPolicy(id)
    if (policy === undefined) continue
    await transaction.updateManagedPolicy(policy, { attachments: policy.attachments + by })
  }
}

async function boundaryOf(
  applying: Applying,
  { accountId, permissionsBoundary: before }: Held,
  { permissionsBoundary: name }: Wanted,
  place: DocumentPath,
): Promise<Pick<PolicyChanges, 'permissionsBoundary'>> {
  const { transaction, prune } = applying
  if (name === undefined && !prune) return {}
  const wanted =
    name === undefined ? undefined : await policyNamed(applying, accountId, name, place)
  if (wanted?.policyId === before) return {}
  await leaveBoundary(before, transaction)
  if (wanted === undefined) return { permissionsBoundary: undefined }
  await transaction.updateManagedPolicy(wanted, { boundaries: wanted.boundaries + 1 })
  return { permissionsBoundary: wanted.policyId }
}

/** Finds a managed policy by ARN, or by name in the account. */
async function policyNamed(
  applying: Applying,
  accountId: string,
  name: string,
  place: DocumentPath,
): Promise<ManagedPolicyRecord> {
  const { transaction } = applying
  if (name.startsWith('arn:')) {
    return placed(place, () => managedPolicyOf(name, iamCallFor(applying, accountId), transaction))
  }
  const found = await transaction.findManagedPolicyByName(accountId, name)
  if (found !== undefined) return found
  throw refusalAt(place, `there is no managed policy \`${name}\` in account ${accountId}`)
}
