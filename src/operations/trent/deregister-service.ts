/**
 * DeregisterService — `trent service deregister`: removes a service. Its credentials, its forward access
 * sessions and the sessions of its infrastructure end at once.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { required, text } from '../../model/shape.ts'
import { trentOperation } from './trent-operation.ts'

export const deregisterService = trentOperation<{ readonly accessKeyId: string }>()({
  name: 'DeregisterService',
  door: 'operator',
  input: {
    name: required(text({ min: 1, max: 128 })),
    region: required(text({ min: 1, max: 64 })),
  },
  permissions: () => [{ action: 'trent:DeregisterService' }],
  readOnly: false,
  audit: ['name', 'region'],
  auditResponse: ({ accessKeyId }) => ({ accessKeyId }),
  throws: ['ValidationException', 'AccessDeniedException', 'NotFoundException'],
  run({ input: { name, region }, commit }) {
    return commit(async (transaction) => {
      const service = await transaction.findService({ name, region })
      if (service === undefined) {
        throw new KmsError('NotFoundException', `no service ${name} is registered in ${region}`)
      }
      await transaction.deleteService(service)
      return { accessKeyId: service.accessKeyId }
    })
  },
})
