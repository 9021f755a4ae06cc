/** Declares an operation that services call: each signs with its own credentials. @module */
import { KmsError } from '../../errors.ts'
import type { Caller } from '../../model/caller.ts'
import type { Members } from '../../model/shape.ts'
import type { ServicePrincipal } from '../../model/service.ts'
import type { Operation } from '../contract/operation.ts'

export function serviceOperation<Output>() {
  return <const M extends Members>(
    definition: Omit<Operation<M, Output, never>, 'service' | 'door' | 'keys' | 'permissions'>,
  ): Operation<M, Output, never> => ({
    service: 'trent',
    door: 'service',
    keys: {},
    permissions: () => [{ action: `trent:${definition.name}` }],
    ...definition,
  })
}

/** The service that calls. @throws {KmsError} where it calls for somebody else */
export function callingServiceOf({ service, accessKeyId }: Caller): {
  readonly service: ServicePrincipal
  readonly accessKeyId: string
} {
  if (service !== undefined && accessKeyId !== undefined) return { service, accessKeyId }
  throw new KmsError('AccessDeniedException', 'a service calls this in its own name')
}
