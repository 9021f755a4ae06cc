/**
 * RevokeSessions — `trent sessions revoke`: revokes all temporary credentials of a user or a role that were
 * issued so far.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import { trentOperation } from './trent-operation.ts'

export interface RevokedSessions {
  readonly principalArn: string
  /** ISO 8601, UTC. */
  readonly revokedAt: string
}

export const revokeSessions = trentOperation<RevokedSessions>()({
  name: 'RevokeSessions',
  door: 'operator',
  input: { principalArn: required(text({ min: 20, max: 2048 })) },
  permissions: () => [{ action: 'trent:RevokeSessions' }],
  readOnly: false,
  audit: ['principalArn'],
  auditResponse: ({ revokedAt }) => ({ revokedAt }),
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  async run({ input: { principalArn }, commit }, { clock, principals, store }) {
    const uniqueId = (await principals.idOf(principalArn)) ?? ''
    const [user, role] = [await store.findUser(uniqueId), await store.findRole(uniqueId)]
    if (user === undefined && role === undefined) {
      throw new KmsError('NotFoundException', `There is no user and no role ${principalArn}`)
    }
    const now = clock.now()
    return commit(async (transaction) => {
      const changes = { sessionsRevokedAt: now }
      if (user !== undefined) await transaction.updateUser(user, changes)
      if (role !== undefined) await transaction.updateRole(role, changes)
      return { principalArn, revokedAt: new Date(now).toISOString() }
    })
  },
})
