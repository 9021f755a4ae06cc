/** The name of a key policy, which is always `default`. @module */
import { KmsError } from '../../errors.ts'

export const onlyPolicyName = 'default'

/** @throws {KmsError} `NotFoundException` for any other name */
export function requirePolicyName(name: string | undefined): void {
  if (name === undefined || name === onlyPolicyName) return
  throw new KmsError('NotFoundException', 'No such policy exists')
}
