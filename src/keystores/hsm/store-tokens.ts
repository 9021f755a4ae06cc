/**
 * The open tokens of connected key stores, each logged in as its `kmsuser`. A token begins with the first
 * use. It ends when the row of its key store changes, after the calls that are under way.
 * @module
 */
import { openPasswords } from '../../crypto/key-store-secret.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { CustomKeyStoreRecord, CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import { createToken, type Token } from '../../pkcs11/token.ts'
import { TokenError } from '../../pkcs11/token-error.ts'
import type { HsmCluster, HsmClusters } from './settings.ts'

export interface StoreTokensDependencies {
  readonly clusters: HsmClusters
  /** All environment variables that the libraries get. */
  readonly environment: Readonly<Record<string, string>>
  readonly keyring: Pick<Keyring, 'unwrap'>
  /** The row of a key store, from memory if it is there. */
  readonly cachedKeyStore: (ref: CustomKeyStoreRef) => Promise<CustomKeyStoreRecord | undefined>
  /** The row of a key store, from the database. */
  readonly findKeyStore: (ref: CustomKeyStoreRef) => Promise<CustomKeyStoreRecord | undefined>
}

export interface StoreTokens {
  /**
   * The token of a connected key store. Undefined if it does not exist or is not connected.
   * @param found the row, if the caller has it
   */
  readonly of: (ref: CustomKeyStoreRef, found?: CustomKeyStoreRecord) => Promise<Token | undefined>
  /** Logs out of the key stores that are no longer connected. */
  readonly sweep: () => Promise<void>
  readonly close: () => void
}

/** Milliseconds for a call. A library that hangs longer is killed. */
export const hsmCallMsMax = 10_000
/** Milliseconds in which an HSM that could not be opened is not asked again. */
const pauseMs = 1000

interface Opened {
  readonly ref: CustomKeyStoreRef
  readonly rowVersion: number
  readonly token: Token
}

export function createStoreTokens(dependencies: StoreTokensDependencies): StoreTokens {
  const { clusters, cachedKeyStore, findKeyStore } = dependencies
  const opened = new Map<string, Opened>()
  const open = (ref: CustomKeyStoreRef, { cluster, rowVersion }: CustomKeyStoreRecord): Opened => {
    const found = clusters.get(cluster?.clusterId ?? '')
    if (found === undefined) {
      throw new TokenError('NO_CLUSTER', 'the settings no longer name the cluster')
    }
    const token = openedToken(found, dependencies, async () => {
      const present = await findKeyStore(ref)
      if (present === undefined) throw new TokenError('CLOSED', 'the key store is gone')
      return passwordOf(dependencies, present)
    })
    return { ref, rowVersion, token }
  }
  /** The open token for a row. A row that is older than the token says nothing about it. */
  const tokenOf = (
    ref: CustomKeyStoreRef,
    record: CustomKeyStoreRecord | undefined,
  ): Token | undefined => {
    const name = nameOf(ref)
    const known = opened.get(name)
    const isOlder =
      record !== undefined && known !== undefined && record.rowVersion <= known.rowVersion
    if (isOlder) return known.token
    known?.token.retire()
    opened.delete(name)
    if (record?.connection !== 'CONNECTED') return undefined
    const made = open(ref, record)
    opened.set(name, made)
    return made.token
  }
  return {
    of: async (ref, found) => tokenOf(ref, found ?? (await cachedKeyStore(ref))),
    async sweep() {
      for (const { ref } of opened.values()) {
        const present = await findKeyStore(ref)
        if (present?.connection !== 'CONNECTED') tokenOf(ref, present)
      }
    },
    close() {
      for (const { token } of opened.values()) token.close()
      opened.clear()
    },
  }
}

/** A token of a cluster with the limits of key stores. @param readPassword the password is overwritten */
export function openedToken(
  cluster: HsmCluster,
  { environment }: Pick<StoreTokensDependencies, 'environment'>,
  readPassword: () => Promise<Uint8Array>,
): Token {
  const { place, iv } = cluster
  const readPin = async (): Promise<Uint8Array> => {
    const password = await readPassword()
    try {
      return pinOf(cluster, password)
    } finally {
      password.fill(0)
    }
  }
  return createToken({ place, iv, readPin, environment, callMsMax: hsmCallMsMax, pauseMs })
}

/** The PIN of `kmsuser`: for AWS CloudHSM its name, a colon and the password. */
export function pinOf({ user }: HsmCluster, password: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(user === undefined ? '' : `${user}:`), password])
}

function passwordOf(
  { keyring }: Pick<StoreTokensDependencies, 'keyring'>,
  record: CustomKeyStoreRecord,
): Uint8Array {
  const { current, next } = openPasswords(keyring, record)
  next?.fill(0)
  return current
}

function nameOf({ accountId, region, storeId }: CustomKeyStoreRef): string {
  return `${accountId}/${region}/${storeId}`
}
