/** The name of a key policy: there is one. @module */
import { KmsError } from '../../errors.ts'

export const onlyPolicyName = 'default'

/** @throws {KmsError} `NotFoundException` for any name but the one there is */
export function requirePolicyName(name: string | undefined): void {
  if (name === undefined || name === onlyPolicyName) return
  throw new KmsError('NotFoundException', 'No such policy exists')
}
