/** Declares an operation for registered services, which sign with their own credentials. @module */
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

/** Returns the calling service. @throws {KmsError} if it calls on behalf of another principal */
export function callingServiceOf({ service, accessKeyId }: Caller): {
  readonly service: ServicePrincipal
  readonly accessKeyId: string
} {
  if (service !== undefined && accessKeyId !== undefined) return { service, accessKeyId }
  throw new KmsError('AccessDeniedException', 'only a service in its own name may call this')
}
