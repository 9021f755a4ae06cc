/**
 * CreateInfrastructureSession — `POST /_trent/infrastructure-session`: issues credentials for
 * infrastructure that a service runs for an account, for example the host of one EC2 instance. Only grants
 * give it access.
 * @see docs/services.md
 * @module
 */
import { KmsError } from '../../errors.ts'
import { formatArn } from '../../model/arn.ts'
import { infrastructureResourcePattern, infrastructureRoleOf } from '../../model/infrastructure.ts'
import { integer, required, text } from '../../model/shape.ts'
import { callingServiceOf, serviceOperation } from './service-operation.ts'

export interface CreatedInfrastructureSession {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** ISO 8601, UTC. */
  readonly expiration: string
  readonly arn: string
}

export const createInfrastructureSession = serviceOperation<CreatedInfrastructureSession>()({
  name: 'CreateInfrastructureSession',
  input: {
    accountId: required(text({ pattern: '^[0-9]{12}$' })),
    resource: required(text({ pattern: infrastructureResourcePattern })),
    durationSeconds: integer({ min: 900, max: 43_200 }),
  },
  readOnly: false,
  audit: ['accountId', 'resource', 'durationSeconds'],
  auditResponse: ({ accessKeyId, expiration, arn }) => ({ accessKeyId, expiration, arn }),
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  async run({ input, caller, partition, concerning }, { store, clock, sessions }) {
    const { service, accessKeyId: sourceAccessKeyId } = callingServiceOf(caller)
    const { accountId, resource: name, durationSeconds = 3600 } = input
    if ((await store.findAccount(accountId)) === undefined) {
      throw new KmsError('NotFoundException', `there is no account ${accountId}`)
    }
    const roleName = infrastructureRoleOf(service.name)
    const issuedAt = clock.now()
    const expiresAt = issuedAt + durationSeconds * 1000
    const made = sessions.issue({
      kind: 'infrastructure',
      accountId,
      principalId: `${accountId}:${roleName}`,
      name,
      issuedAt,
      expiresAt,
      sourceAccessKeyId,
      chained: false,
      policyIds: [],
      tags: [],
      transitiveTagKeys: [],
    })
    const resource = `assumed-role/${roleName}/${name}`
    const arn = formatArn({ partition, service: 'sts', region: '', accountId, resource })
    concerning({ arn, accountId, type: 'AWS::STS::AssumedRole' })
    return {
      accessKeyId: made.accessKeyId,
      secretAccessKey: made.plaintextSecret,
      sessionToken: made.token,
      expiration: new Date(expiresAt).toISOString(),
      arn,
    }
  },
})
