/** Managed policies in IAM operations: checks, look-up by ARN, and the form that answers have. @module */
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

/** The parts of a call that find a managed policy. */
export interface PolicyCaller {
  readonly partition: string
  readonly caller: { readonly accountId: string }
}

/** Finds a managed policy of the caller's account or of AWS. @throws {KmsError} `NoSuchEntityException` */
export async function managedPolicyOf(
  arn: string,
  { partition, caller: { accountId } }: PolicyCaller,
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

/**
 * Finds a managed policy that the account can change: any but AWS's.
 * @throws {KmsError} `NoSuchEntityException`, `AccessDeniedException`
 */
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

/** A policy in lists: without its description and its tags. */
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

/** A policy with its tags and without its description, which only `GetPolicy` returns. */
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

/** A version in lists: without its document. */
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
