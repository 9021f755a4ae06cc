/** What the operations on managed policies share: finding one by its ARN, and showing it. @module */
import { KmsError } from '../../errors.ts'
import { awsAccountId, isAwsManaged } from '../../model/aws-managed-policies.ts'
import type { IdentityTag } from '../../model/identity.ts'
import {
  managedPolicyArn,
  readPolicyArn,
  type ManagedPolicyRecord,
  type PolicyVersion,
} from '../../model/managed-policy.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Permission } from '../contract/operation.ts'
import { checkIdentityPolicy, policySize } from './identity-policy.ts'
import { shownDocument } from './shown-document.ts'

export const versionsMax = 5
const sizeMax = 6144

/** @throws {KmsError} `MalformedPolicyDocumentException`, `LimitExceededException` */
export function checkManagedPolicy(document: string): void {
  checkIdentityPolicy(document)
  if (policySize(document) <= sizeMax) return
  throw new KmsError('LimitExceededException', `Cannot exceed quota for PolicySize: ${sizeMax}`)
}

/** @throws {KmsError} `InvalidInputException` */
export function checkPolicyArn(arn: string): void {
  if (readPolicyArn(arn) !== undefined) return
  throw new KmsError('InvalidInputException', `ARN ${arn} is not valid.`)
}

/** The permission `action` on the policy that the call names by its ARN. */
export function policyPermission(action: string, arn: string): readonly Permission[] {
  return [{ action, arn, shown: `policy ${arn}` }]
}

interface Asking {
  readonly partition: string
  readonly caller: { readonly accountId: string }
}

/** One of the caller's own account, or one of AWS's. @throws {KmsError} `NoSuchEntityException` */
export async function managedPolicyOf(
  arn: string,
  { partition, caller: { accountId } }: Asking,
  store: Pick<StoreReads, 'findManagedPolicyByName'>,
): Promise<ManagedPolicyRecord> {
  const named = readPolicyArn(arn)
  const own = named?.accountId === accountId || named?.accountId === awsAccountId
  const found =
    own && named.partition === partition
      ? await store.findManagedPolicyByName(named.accountId, named.name)
      : undefined
  if (found !== undefined && found.path === named?.path) return found
  throw new KmsError('NoSuchEntityException', `Policy ${arn} was not found.`)
}

/** One that the call is to change. @throws {KmsError} `NoSuchEntityException`, `AccessDeniedException` */
export async function ownPolicyOf(
  ...asked: Parameters<typeof managedPolicyOf>
): Promise<ManagedPolicyRecord> {
  const policy = await managedPolicyOf(...asked)
  if (!isAwsManaged(policy)) return policy
  throw new KmsError('AccessDeniedException', 'Policy is outside your own account.')
}

/** @throws {KmsError} `NoSuchEntityException` */
export function versionOf(
  arn: string,
  { versions }: ManagedPolicyRecord,
  versionId: string,
): PolicyVersion {
  const found = versions.find((version) => version.versionId === versionId)
  if (found !== undefined) return found
  const message = `Policy ${arn} version ${versionId} does not exist or is not attachable.`
  throw new KmsError('NoSuchEntityException', message)
}

export interface ShownPolicy {
  readonly PolicyName: string
  readonly PolicyId: string
  readonly Arn: string
  readonly Path: string
  readonly DefaultVersionId: string
  readonly AttachmentCount: number
  readonly PermissionsBoundaryUsageCount: number
  readonly IsAttachable: boolean
  readonly CreateDate: Date
  readonly UpdateDate: Date
  readonly Tags?: IdentityTag[]
}

/** As lists show it: without its description and its tags. */
export function listedPolicy(partition: string, policy: ManagedPolicyRecord): ShownPolicy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.policyId,
    Arn: managedPolicyArn(partition, policy),
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: policy.attachments,
    PermissionsBoundaryUsageCount: policy.boundaries,
    IsAttachable: true,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.updatedAt),
  }
}

/** As `GetPolicy` shows it, but for its description: with its tags. */
export function taggedPolicy(partition: string, policy: ManagedPolicyRecord): ShownPolicy {
  const tags = policy.tags.map(({ Key, Value }) => ({ Key, Value }))
  return { ...listedPolicy(partition, policy), ...(tags.length > 0 && { Tags: tags }) }
}

export interface ShownVersion {
  readonly Document?: string
  readonly VersionId: string
  readonly IsDefaultVersion: boolean
  readonly CreateDate: Date
}

/** A version as lists show it: without its document. */
export function listedVersion(
  { defaultVersionId }: Pick<ManagedPolicyRecord, 'defaultVersionId'>,
  { versionId, createdAt }: PolicyVersion,
): ShownVersion {
  return {
    VersionId: versionId,
    IsDefaultVersion: versionId === defaultVersionId,
    CreateDate: new Date(createdAt),
  }
}

/** A version with its document. */
export function shownVersion(policy: ManagedPolicyRecord, version: PolicyVersion): ShownVersion {
  return { Document: shownDocument(version.document), ...listedVersion(policy, version) }
}
