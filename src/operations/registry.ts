/** The operations of all services by name. @module */
import { cloudtrailRegistry } from './cloudtrail/registry.ts'
import { cloudwatchRegistry } from './cloudwatch/registry.ts'
import type { Registry } from './contract/registry.ts'
import { iamRegistry } from './iam/registry.ts'
import { kmsRegistry } from './kms/registry.ts'
import { taggingRegistry } from './tagging/registry.ts'
import { stsRegistry } from './sts/registry.ts'
import { xksProxyRegistry } from './xks-proxy/registry.ts'
import { operatorRegistry, ownRegistry, serviceRegistry, testRegistry } from './trent/registry.ts'

/** Operations of AWS's services, and of the XKS proxy API. Every worker serves them. */
export const awsRegistry: Registry = new Map([
  ...kmsRegistry,
  ...iamRegistry,
  ...stsRegistry,
  ...cloudtrailRegistry,
  ...cloudwatchRegistry,
  ...taggingRegistry,
  ...xksProxyRegistry,
])

/** AWS's operations and Trent's own, which worker 0 serves. Includes the test API if it is on. */
export function serverRegistry({ testApi }: { readonly testApi: boolean }): Registry {
  const test = testApi ? testRegistry : []
  return new Map([...awsRegistry, ...operatorRegistry, ...serviceRegistry, ...ownRegistry, ...test])
}
