/** Who calls through the operator door. @module */
import type { Operator } from '../model/operator.ts'
import type { RawRequest } from '../wire/request.ts'
import { namesOfUsers } from './system-users.ts'

/** Undefined when the system does not say who calls. */
export function operatorOf({ peer }: Pick<RawRequest, 'peer'>): Operator | undefined {
  if (peer === undefined) return undefined
  if (peer === 'server') return { id: 'server', name: 'server' }
  const { uid, loginUid = uid } = peer
  const names = namesOfUsers()
  const nameOf = (id: number): string => names.get(id) ?? String(id)
  return {
    id: `operator/${uid}`,
    name: nameOf(uid),
    ...(loginUid !== uid && { loginName: nameOf(loginUid) }),
  }
}
