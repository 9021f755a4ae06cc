/**
 * Looks up principals. Those that key policies, trust policies and grants name must exist when they are
 * written.
 * @module
 */
import { formatArn, parseArn } from '../model/arn.ts'
import { readIdentityResource } from '../model/identity.ts'
import { readRoleId, roleArn } from '../model/role.ts'
import { userArn } from '../model/user.ts'
import type { Store } from '../store/store.ts'
import type { Principals } from '../operations/contract/dependencies.ts'

/**
 * The unique id of a principal: the account id for an account's root ARN, `AIDA…` for a user, `AROA…`
 * for a role, `AROA…:session` for a session, `account:name` for a federated user. Undefined when the
 * principal does not exist.
 */
export type FindPrincipal = (arn: string) => Promise<string | undefined>

type Reads = Pick<Store, 'findAccount' | 'findUserByName' | 'findRoleByName'>

const federatedPattern = /^federated-user\/([^/]+)$/
const sessionPattern = /^assumed-role\/([^/]+)\/([^/]+)$/

/** The current ARN of a user by its unique id; undefined when the user does not exist. */
export type FindUserArn = (uniqueId: string, partition: string) => Promise<string | undefined>

export function createFindUserArn(store: Pick<Store, 'findUser'>): FindUserArn {
  return async (uniqueId, partition) => {
    const user = uniqueId.startsWith('AIDA') ? await store.findUser(uniqueId) : undefined
    return user && userArn(partition, user)
  }
}

/** The ARN of a role or its session by its unique id, while the role exists. */
export function createFindRolePrincipal(store: Pick<Store, 'findRole'>): Principals['ofRoleId'] {
  return async (uniqueId, partition) => {
    const { roleId, session } = readRoleId(uniqueId) ?? {}
    const role = roleId === undefined ? undefined : await store.findRole(roleId)
    if (role === undefined) return undefined
    const { accountId, name } = role
    const arn =
      session === undefined
        ? roleArn(partition, role)
        : formatArn({
            partition,
            service: 'sts',
            region: '',
            accountId,
            resource: `assumed-role/${name}/${session}`,
          })
    return { arn, uniqueId, accountId }
  }
}

/** Looks up the accounts, users and roles of this deployment. */
export function createFindPrincipal(store: Reads): FindPrincipal {
  return async (arn) => {
    const parsed = parseArn(arn)
    if (parsed === undefined || parsed.region !== '') return undefined
    const { service, accountId, resource } = parsed
    if (service === 'sts') return sessionOf(accountId, resource, store)
    if (service !== 'iam') return undefined
    if (resource === 'root') return (await store.findAccount(accountId))?.accountId
    const user = readIdentityResource('user', resource)
    if (user !== undefined) {
      const found = await store.findUserByName(accountId, user.name)
      return found?.path === user.path ? found.userId : undefined
    }
    const role = readIdentityResource('role', resource)
    const found = role && (await store.findRoleByName(accountId, role.name))
    return found !== undefined && found.path === role?.path ? found.roleId : undefined
  }
}

/**
 * A session of an existing role or user counts as existing, because its name is chosen when it is
 * issued.
 */
async function sessionOf(
  accountId: string,
  resource: string,
  store: Reads,
): Promise<string | undefined> {
  const [, guest] = federatedPattern.exec(resource) ?? []
  if (guest !== undefined) {
    const account = await store.findAccount(accountId)
    return account && `${accountId}:${guest}`
  }
  const [, name, session] = sessionPattern.exec(resource) ?? []
  if (name === undefined || session === undefined) return undefined
  const role = await store.findRoleByName(accountId, name)
  return role && `${role.roleId}:${session}`
}
