/** The rows of managed policies. @module */
import {
  awsAccountId,
  awsManagedPolicy,
  awsManagedPolicyNamed,
  isAwsManaged,
} from '../../model/aws-managed-policies.ts'
import type { ManagedPolicyRecord } from '../../model/managed-policy.ts'
import type { Page } from '../page.ts'
import type { RowScope, WriteScope } from '../row-scope.ts'
import { managedPolicies } from '../schema/identities.ts'
import { namedReads } from './named-rows.ts'
import { tableReads, tableWrites } from './table-rows.ts'

export interface ManagedPolicyReads {
  findManagedPolicy(policyId: string): Promise<ManagedPolicyRecord | undefined>
  /** The name exactly as given; case matters. */
  findManagedPolicyByName(accountId: string, name: string): Promise<ManagedPolicyRecord | undefined>
  /** Managed policies of an account by name. */
  listManagedPolicies(
    accountId: string,
    page: Page & {
      readonly pathPrefix: string
      readonly onlyAttached: boolean
      /** Only policies that are in use as a permissions boundary. */
      readonly onlyBoundaries?: boolean
    },
  ): Promise<readonly ManagedPolicyRecord[]>
  countManagedPolicies(accountId: string): Promise<number>
}

export interface ManagedPolicyWrites {
  /** @throws {DuplicateRow} if a policy has the same name apart from case */
  insertManagedPolicy(policy: Omit<ManagedPolicyRecord, 'rowVersion'>): Promise<ManagedPolicyRecord>
  /** @throws {StaleRow} */
  updateManagedPolicy(
    policy: ManagedPolicyRecord,
    changes: Partial<
      Pick<
        ManagedPolicyRecord,
        | 'versions'
        | 'defaultVersionId'
        | 'nextVersion'
        | 'attachments'
        | 'boundaries'
        | 'tags'
        | 'updatedAt'
      >
    >,
  ): Promise<ManagedPolicyRecord>
  /** @throws {StaleRow} */
  deleteManagedPolicy(policy: ManagedPolicyRecord): Promise<void>
}

export function managedPolicyReads(scope: RowScope): ManagedPolicyReads {
  const { find } = tableReads(managedPolicies, scope)
  const { findByName, list, count } = namedReads(managedPolicies, scope)
  return {
    // AWS's own policies, which every account has, are in no table.
    findManagedPolicy: async (policyId) => awsManagedPolicy(policyId) ?? find({ policyId }),
    findManagedPolicyByName: async (accountId, name) =>
      accountId === awsAccountId ? awsManagedPolicyNamed(name) : findByName(accountId, name),
    listManagedPolicies: (accountId, { pathPrefix, onlyAttached, onlyBoundaries, ...page }) =>
      list(
        accountId,
        page,
        ({ path, attachments, boundaries }) =>
          path.startsWith(pathPrefix) &&
          (!onlyAttached || attachments > 0) &&
          (onlyBoundaries !== true || boundaries > 0),
      ),
    countManagedPolicies: count,
  }
}

export function managedPolicyWrites(scope: WriteScope): ManagedPolicyWrites {
  const writes = tableWrites(managedPolicies, scope)
  return {
    insertManagedPolicy: writes.insert,
    updateManagedPolicy: async (policy, changes) =>
      isAwsManaged(policy) ? policy : writes.update(policy, changes),
    deleteManagedPolicy: writes.delete,
  }
}
