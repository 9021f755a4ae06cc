/**
 * RegisterService — `trent service register`: registers a service in a Region and creates its credentials.
 * The secret is returned only here.
 * @see docs/services.md
 * @module
 */
import { KmsError } from '../../errors.ts'
import { defaultHostOf, isOwnName, serviceNamePattern } from '../../model/service.ts'
import { list, required, text } from '../../model/shape.ts'
import { DuplicateRow } from '../../store/store.ts'
import { trentOperation } from './trent-operation.ts'

export interface RegisteredService {
  readonly name: string
  readonly region: string
  readonly hosts: readonly string[]
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * A host name, `*.` with a host name, an IPv4 address or an IPv6 address in brackets; with a port or
 * without.
 */
const hostPattern = '^(?:(?:\\*\\.)?[a-z0-9-]+(?:\\.[a-z0-9-]+)*|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?$'

export const registerService = trentOperation<RegisteredService>()({
  name: 'RegisterService',
  door: 'operator',
  input: {
    name: required(text({ pattern: serviceNamePattern })),
    region: required(text({ min: 1, max: 64 })),
    hosts: list(text({ min: 1, max: 255, pattern: hostPattern }), { min: 1, max: 32 }),
  },
  permissions: () => [{ action: 'trent:RegisterService' }],
  readOnly: false,
  audit: ['name', 'region', 'hosts'],
  auditResponse: ({ name, region, hosts, accessKeyId }) => ({ name, region, hosts, accessKeyId }),
  throws: ['ValidationException', 'AccessDeniedException', 'AlreadyExistsException'],
  check({ name }) {
    if (!isOwnName(name)) return
    throw new KmsError('ValidationException', `${name} is Trent itself`)
  },
  async run({ input: { name, region, ...input }, commit }, { clock, newAccessKey, regions }) {
    if (regions.partitionOf(region) === undefined) {
      throw new KmsError('ValidationException', `there is no Region \`${region}\``)
    }
    const hosts = input.hosts ?? [defaultHostOf({ name, region })]
    const owner = {
      accountId: '',
      principalKind: 'service',
      principalId: `${name}/${region}`,
    } as const
    const { record, plaintextSecret: secretAccessKey } = newAccessKey(owner)
    const { accessKeyId, wrappingVersion, wrappedSecret } = record
    const createdAt = clock.now()
    return commit(async (transaction) => {
      const taken = new KmsError(
        'AlreadyExistsException',
        `The service ${name} is registered in ${region}`,
      )
      if ((await transaction.findService({ name, region })) !== undefined) throw taken
      const secret = { accessKeyId, wrappingVersion, wrappedSecret }
      try {
        await transaction.insertService({ name, region, hosts, ...secret, createdAt })
      } catch (error) {
        throw error instanceof DuplicateRow ? taken : error
      }
      return { name, region, hosts, accessKeyId, secretAccessKey }
    })
  },
})
