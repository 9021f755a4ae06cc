/** Stores a new role, for CreateRole and CreateServiceLinkedRole. @module */
import { KmsError } from '../../errors.ts'
import type { RoleRecord } from '../../model/role.ts'
import { DuplicateRow, type Transaction } from '../../store/store.ts'

export const rolesMax = 1000

/**
 * Inserts a role.
 * @param taken the error for a name that is taken, whatever its case
 * @throws {KmsError} `LimitExceededException`, and what `taken` returns
 */
export async function insertRole(
  role: Omit<RoleRecord, 'rowVersion'>,
  transaction: Transaction,
  taken: () => KmsError,
): Promise<void> {
  if ((await transaction.countRoles(role.accountId)) >= rolesMax) {
    const message = `Cannot exceed quota for RolesPerAccount: ${rolesMax}`
    throw new KmsError('LimitExceededException', message)
  }
  try {
    await transaction.insertRole(role)
  } catch (error) {
    throw error instanceof DuplicateRow ? taken() : error
  }
}
