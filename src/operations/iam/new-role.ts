/** A role that is put into the store: CreateRole and CreateServiceLinkedRole share it. @module */
import { KmsError } from '../../errors.ts'
import type { RoleRecord } from '../../model/role.ts'
import { DuplicateRow, type Transaction } from '../../store/store.ts'

export const rolesMax = 1000

/** @param taken what is thrown where the name, in whichever case, is taken */
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
