/** Step 5: a call counts against its request quota, and meets the faults that tests asked for. @module */
import { globalRegionOf } from '../model/region.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { PipelinePorts } from './dependencies.ts'
import type { Resolved } from './stages.ts'

const limitedServices: ReadonlySet<Operation['service']> = new Set([
  'kms',
  'iam',
  'sts',
  'cloudtrail',
  'monitoring',
])

/**
 * Only KMS has faults.
 * @throws {KmsError} `ThrottlingException`, or the fault that a test has asked for
 */
export async function chargeCall(
  { operation, caller, scope, input, resolved, request }: Resolved,
  { throttle, faults }: Pick<PipelinePorts, 'throttle' | 'faults'>,
): Promise<void> {
  const { service, name } = operation
  if (!limitedServices.has(service)) return
  const specs = [...resolved.keys.values()].flatMap(({ known }) => known?.record.spec ?? [])
  // A service in its own name belongs to no account: it has a quota of its own.
  const charged = caller.service === undefined ? caller.accountId : caller.service.regionalName
  // IAM has one Region in a partition, so naming many Regions gives nobody more than one quota.
  const region = service === 'iam' ? globalRegionOf(scope) : scope.region
  throttle.admit(charged, region, { service, operation: name, input, specs })
  if (service === 'kms') await faults.strike(name, request.signal)
}
