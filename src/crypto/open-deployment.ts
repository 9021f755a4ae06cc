/** The opened domain keys of a deployment. @module */
import type { OpenDomainKey } from './domain-keys.ts'

/** The opened domain keys of a deployment, from which any thread can build a keyring. */
export interface OpenDeployment {
  readonly deploymentId: string
  readonly domainKeys: readonly OpenDomainKey[]
}
