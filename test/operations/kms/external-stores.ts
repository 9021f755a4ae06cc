/** External key stores for the tests of single operations. @module */
import type { CustomKeyStoreRecord } from '../../../src/model/custom-key-store.ts'
import { call, type World } from './memory-dependencies.ts'

export const externalSettings = {
  CustomKeyStoreName: 'external',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyUriEndpoint: 'https://xks.example.com',
  XksProxyUriPath: '/kms/xks/v1',
  XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyAuthenticationCredential: {
    AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
    RawSecretAccessKey: 'a'.repeat(43),
  },
} as const

export async function makeStore(world: World, given: object = {}): Promise<CustomKeyStoreRecord> {
  await call(world, 'CreateCustomKeyStore', { ...externalSettings, ...given })
  const made = world.rows.keyStores.at(-1)
  if (made === undefined) throw new Error('no key store was made')
  return made
}

/** Puts a store into a state, as background work does. */
export function alterStore(
  world: World,
  store: CustomKeyStoreRecord,
  changes: Partial<CustomKeyStoreRecord>,
): void {
  const index = world.rows.keyStores.findIndex(({ storeId }) => storeId === store.storeId)
  const row = world.rows.keyStores[index]
  if (row !== undefined) world.rows.keyStores[index] = { ...row, ...changes }
}
