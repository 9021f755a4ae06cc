/** The opened domain keys of a deployment. @module */
import type { Random } from '../model/clock.ts'
import { keyringOf, type OpenDomainKey, type TurningKeyring } from './domain-keys.ts'

/** The opened domain keys of a deployment, from which any thread can build a keyring. */
export interface OpenDeployment {
  readonly deploymentId: string
  readonly domainKeys: readonly OpenDomainKey[]
  /** The version that protects new values; the highest if absent. */
  readonly current?: number
}

/** The keyring of a thread that the main thread has started. @throws {NotAuthentic} */
export function keyringIn(deployment: OpenDeployment, random: Random): TurningKeyring {
  const keyring = keyringOf(deployment.deploymentId, deployment.domainKeys, random)
  if (deployment.current !== undefined) keyring.hold(deployment.current)
  return keyring
}
