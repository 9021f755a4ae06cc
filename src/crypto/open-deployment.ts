/** A deployment whose domain keys are open. @module */
import type { OpenDomainKey } from './domain-keys.ts'

/** A deployment whose domain keys are open: what a key ring is made of, in whatever thread. */
export interface OpenDeployment {
  readonly deploymentId: string
  readonly domainKeys: readonly OpenDomainKey[]
}
