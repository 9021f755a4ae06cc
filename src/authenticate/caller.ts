/** Makes the caller of a credential, in the partition of the call. @module */
import { formatArn } from '../model/arn.ts'
import type { Caller, SessionIssuer } from '../model/caller.ts'
import { identityArn } from '../model/identity.ts'
import { infrastructurePrincipal } from '../model/infrastructure.ts'
import { callingService } from '../model/service.ts'
import type { Session } from '../model/session.ts'
import type { Owned } from './credential.ts'

export function makeCaller(credential: Owned, partition: string): Caller {
  const { session, accessKeyId, accountId, service, proxy } = credential
  if (service !== undefined) {
    const { name, region } = service
    const principal = { ...callingService(service), region }
    return {
      kind: 'service',
      accountId,
      arn: name,
      uniqueId: name,
      accessKeyId,
      service: principal,
    }
  }
  if (proxy !== undefined) {
    const { proxyId: uniqueId, region } = proxy
    const resource = `xks-proxy/${uniqueId}`
    const arn = formatArn({ partition, service: 'trent', region, accountId, resource })
    return { kind: 'xks-client', accountId, arn, uniqueId, accessKeyId }
  }
  const issuer = issuerOf(credential, partition)
  const behind = session && { session, issuer }
  if (session !== undefined && session.kind !== 'user') {
    return { ...named(session, issuer, partition), accountId, accessKeyId, ...behind }
  }
  const { arn, principalId: uniqueId, userName } = issuer
  const kind = userName === undefined ? 'root' : 'user'
  return { kind, accountId, arn, uniqueId, accessKeyId, ...(userName && { userName }), ...behind }
}

/** The kinds of sessions that have a name of their own. */
function named(
  { kind, name }: Session,
  issuer: SessionIssuer,
  partition: string,
): Pick<Caller, 'kind' | 'arn' | 'uniqueId' | 'roleArn'> {
  const { accountId, principalId } = issuer
  const sts = { partition, service: 'sts', region: '', accountId }
  if (kind === 'federated') {
    const arn = formatArn({ ...sts, resource: `federated-user/${name}` })
    return { kind: 'federated-user', arn, uniqueId: `${accountId}:${name}` }
  }
  const roleName = issuer.userName ?? ''
  const arn = formatArn({ ...sts, resource: `assumed-role/${roleName}/${name}` })
  if (kind === 'infrastructure') {
    const uniqueId = infrastructurePrincipal({ accountId, roleName, resource: name })
    return { kind, arn, uniqueId, roleArn: issuer.arn }
  }
  return { kind: 'assumed-role', arn, uniqueId: `${principalId}:${name}`, roleArn: issuer.arn }
}

/** The issuer of a session: the principal that has the access key's permissions. */
function issuerOf(credential: Owned, partition: string): SessionIssuer {
  const { principalKind, accountId, principalId, userName, userPath = '/', role } = credential
  const of = { accountId, principalId }
  if (principalKind === 'root') {
    const arn = formatArn({ partition, service: 'iam', region: '', accountId, resource: 'root' })
    return { type: 'Root', ...of, arn }
  }
  if (principalKind === 'role') {
    if (role === undefined) throw new Error(`the role ${principalId} has no name`)
    const arn = identityArn(partition, 'role', { accountId, ...role })
    return { type: 'Role', ...of, arn, userName: role.name }
  }
  if (userName === undefined) throw new Error(`the user ${principalId} has no name`)
  const arn = identityArn(partition, 'user', { accountId, path: userPath, name: userName })
  return { type: 'IAMUser', ...of, arn, userName }
}
