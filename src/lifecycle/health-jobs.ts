/**
 * Asks the proxies and HSMs of connected key stores for their health every few minutes, for metrics alone: a
 * store stays connected, whatever they answer.
 * @module
 */
import type { Job } from '../jobs/jobs.ts'
import type { ExternalKeyStores } from '../keystores/external/external.ts'
import type { HsmKeyStores } from '../keystores/hsm/hsm.ts'
import type { KeyStoreSecrets } from '../keystores/external/proxy-address.ts'
import type { Random } from '../model/clock.ts'
import type { Store } from '../store/store.ts'
import type { KeyStoreFigures } from './key-store-figures.ts'

export interface HealthJobsDependencies {
  readonly store: Pick<Store, 'listKeyStoresIn'>
  readonly random: Pick<Random, 'uuid'>
  readonly externalKeyStores: Pick<ExternalKeyStores, 'healthOf'>
  readonly hsmKeyStores: Pick<HsmKeyStores, 'checkHealth'>
  readonly keyStoreSecrets: Pick<KeyStoreSecrets, 'addressOf'>
  readonly keyStoreFigures: Pick<KeyStoreFigures, 'note'>
}

const everyMs = 5 * 60_000
const dayMs = 86_400_000
/**
 * Stores asked in one round, all at once. A proxy has 250 ms; for an HSM that hangs, other jobs wait ten
 * seconds.
 */
const storesMax = 1000

export function createHealthJobs({
  store,
  random,
  externalKeyStores,
  hsmKeyStores,
  keyStoreSecrets,
  keyStoreFigures,
}: HealthJobsDependencies): readonly Job[] {
  let due = 0
  return [
    {
      name: 'ask proxies and HSMs of key stores for their health',
      async run(now, signal) {
        // A clock that was set back must not stop it.
        if (now < due && due - now <= everyMs) return false
        due = now + everyMs
        const connected = await store.listKeyStoresIn('CONNECTED', storesMax)
        await Promise.all(
          connected.map(async (each) => {
            const { proxy } = each
            if (proxy === undefined) return hsmKeyStores.checkHealth(each)
            const note = (
              name: Parameters<KeyStoreFigures['note']>[0]['name'],
              dimensions: readonly string[],
              value: number,
            ): void => keyStoreFigures.note({ store: each, name, dimensions, value })
            note('XksProxyCredentialAge', [], Math.floor((now - proxy.credentialSetAt) / dayMs))
            const asked = { operation: 'KmsHealthCheck', requestId: random.uuid() }
            const address = keyStoreSecrets.addressOf({ ...each, proxy })
            const managers = await externalKeyStores.healthOf(address, asked, signal)
            // A failure is counted where proxies are called.
            if (managers === undefined) return
            for (const [state, health] of states) {
              const count = managers.filter((manager) => manager === health).length
              note('XksExternalKeyManagerStates', [state], count)
            }
          }),
        )
        return false
      },
    },
  ]
}

/** AWS's names of the dimension's values. */
const states = [
  ['Active', 'ACTIVE'],
  ['Degraded', 'DEGRADED'],
  ['Unavailable', 'UNAVAILABLE'],
] as const
