/**
 * Keys in HSMs: each is an AES-256 key that was made in the HSM and never leaves it. The HSM encrypts,
 * and Trent encrypts the result under material of its own (`docs/ciphertext-blob.md`). So a ciphertext
 * needs both, and the HSM is only asked about ciphertexts that Trent has proved.
 * @module
 */
import { parseBlob } from '../../crypto/blob.ts'
import { canonicalContext } from '../../crypto/encryption-context.ts'
import { hsmAad } from '../../crypto/hsm-message.ts'
import { openPasswords, wrapPasswords, type UserPasswords } from '../../crypto/key-store-secret.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { sealMessage } from '../../crypto/symmetric.ts'
import { KmsError } from '../../errors.ts'
import type { Random } from '../../model/clock.ts'
import type {
  ConnectionErrorCode,
  CustomKeyStoreRecord,
  CustomKeyStoreRef,
} from '../../model/custom-key-store.ts'
import type { HsmObject, HsmObjectRef } from '../../model/hsm-object.ts'
import type { KeyRecord, MaterialRecord } from '../../model/key.ts'
import { TokenError } from '../../pkcs11/token-error.ts'
import { incorrectKey, opened, requireContext } from '../builtin/builtin-messages.ts'
import type { OpenMaterials } from '../builtin/open-materials.ts'
import type { KeyStore, NewMaterial } from '../keystore.ts'
import { connectCluster } from './connect-cluster.ts'
import { askOf, isFailure, seenBy, type Ask, type HsmCallSeen } from './hsm-calls.ts'
import { connectionErrorOf, useFailure } from './hsm-failure.ts'
import {
  createStoreTokens,
  openedToken,
  pinOf,
  type StoreTokensDependencies,
} from './store-tokens.ts'

export interface HsmDependencies extends StoreTokensDependencies {
  readonly keyring: Pick<Keyring, 'wrap' | 'unwrap'>
  readonly materials: OpenMaterials
  readonly random: Random
  readonly clock: { readonly now: () => number }
  /** Makes Trent's own material of a key. */
  readonly createMaterial: KeyStore['createMaterial']
  /** Notes an object before it is made, so that it is destroyed if its key is never created. */
  readonly noteObject: (object: HsmObject) => Promise<void>
  /** Gets the outcome of each call to an HSM. */
  readonly onCall: (call: HsmCallSeen) => void
}

type Wrapped = Pick<CustomKeyStoreRecord, 'wrappedSecret' | 'wrappingVersion'>

export interface HsmKeyStores {
  /** The methods that an HSM answers. `store` is the key store that GenerateRandom names. */
  methods(
    store?: CustomKeyStoreRef,
  ): Pick<KeyStore, 'createMaterial' | 'encrypt' | 'decrypt' | 'random'>
  /** Wraps the password of `kmsuser` for a row. */
  wrapPassword(store: CustomKeyStoreRef, password: string): Wrapped
  /**
   * Logs in as ConnectCustomKeyStore does.
   * @param begin stores the changes of the row before the HSM gets a new password
   * @returns the changes of the row, or why the connection fails
   */
  connect(
    store: CustomKeyStoreRecord,
    begin: (changes: Wrapped) => Promise<void>,
  ): Promise<Wrapped | ConnectionErrorCode>
  /**
   * Destroys a key in the HSM. An HSM that has hung is not asked for a minute.
   * @returns false if its key store is not connected, or the HSM failed; true if the key store was deleted,
   *   because Trent has no password for the HSM then
   */
  destroy(object: HsmObjectRef): Promise<boolean>
  /** Asks the HSM of a connected key store for a random byte, for metrics alone. */
  checkHealth(store: CustomKeyStoreRecord): Promise<void>
  /** Logs out of the key stores that are no longer connected. Call it now and then. */
  sweep(): Promise<void>
  close(): void
}

export function createHsmKeyStores(dependencies: HsmDependencies): HsmKeyStores {
  const { clusters, keyring } = dependencies
  const tokens = createStoreTokens(dependencies)
  const seen = seenBy(dependencies)
  const ask = askOf(seen, tokens)
  const use: Ask = (...given) =>
    ask(...given).catch((error: unknown) => {
      throw error instanceof TokenError ? useFailure(error) : error
    })
  return {
    methods: (store) => {
      return {
        createMaterial: (material, signal) => createMaterial(use, material, signal, dependencies),
        ...messageMethods(use, dependencies),
        async random(length, signal) {
          signal.throwIfAborted()
          if (store === undefined) throw new TypeError('random bytes need a key store')
          return Buffer.from(await use('GenerateRandom', store, (token) => token.random(length)))
        },
      }
    },

    wrapPassword(store, password) {
      const current = Buffer.from(password)
      try {
        return wrapPasswords(keyring, store, { current })
      } finally {
        current.fill(0)
      }
    },

    async connect(store, begin) {
      const cluster = clusters.get(store.cluster?.clusterId ?? '')
      if (cluster === undefined) return 'CLUSTER_NOT_FOUND'
      if (cluster.hsms < 1) return 'INSUFFICIENT_CLOUDHSM_HSMS'
      const passwords = openPasswords(keyring, store)
      const wrap = (given: UserPasswords): Wrapped => wrapPasswords(keyring, store, given)
      try {
        const connecting = (): Promise<Uint8Array> =>
          connectCluster({
            passwords,
            rotatesPin: cluster.rotatesPin,
            random: dependencies.random,
            // The token overwrites what it gets.
            open: (password) =>
              openedToken(cluster, dependencies, async () => Uint8Array.from(password)),
            pinOf: (password) => pinOf(cluster, password),
            begin: (both) => begin(wrap(both)),
          })
        return wrap({ current: await seen('Connect', store, connecting) })
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
        return connectionErrorOf(error)
      } finally {
        passwords.current.fill(0)
        passwords.next?.fill(0)
      }
    },

    destroy: destruction(ask, dependencies),
    async checkHealth(store) {
      try {
        await ask('HealthCheck', store, (token) => token.random(1))
      } catch (error) {
        if (!isFailure(error)) throw error
      }
    },
    sweep: () => tokens.sweep(),
    close: () => tokens.close(),
  }
}

/** Milliseconds in which an HSM that has hung is not asked to destroy keys. */
const hungPauseMs = 60_000

/**
 * Jobs destroy keys one after another, and other jobs wait for them. Thus all keys in an HSM that hangs cost
 * one wait in a minute.
 */
function destruction(ask: Ask, { findKeyStore, clock }: HsmDependencies): HsmKeyStores['destroy'] {
  /** Ends of the pauses by key store, in milliseconds since the epoch. */
  const pausedUntil = new Map<string, number>()
  return async ({ accountId, region, storeId, materialId }) => {
    const ref = { accountId, region, storeId }
    const pauseMs = (pausedUntil.get(storeId) ?? 0) - clock.now()
    // A clock that was set back ends the pause.
    if (pauseMs > 0 && pauseMs <= hungPauseMs) return false
    pausedUntil.delete(storeId)
    const store = await findKeyStore(ref)
    if (store === undefined) return true
    try {
      await ask('DestroyKey', ref, (token) => token.destroyKey(materialId), store)
      return true
    } catch (error) {
      if (!isFailure(error)) throw error
      if (error.code === 'TIMEOUT') pausedUntil.set(storeId, clock.now() + hungPauseMs)
      return false
    }
  }
}

/**
 * Makes Trent's half and the HSM's half of a new key. The HSM's has the key id as its label, and the id of
 * Trent's as CKA_ID.
 */
async function createMaterial(
  use: Ask,
  material: NewMaterial,
  signal: AbortSignal,
  { createMaterial: makeOwn, noteObject, clock }: HsmDependencies,
): Promise<MaterialRecord> {
  const { accountId, region, keyId, customKeyStoreId: storeId } = material
  if (storeId === undefined) throw new TypeError('a key in an HSM needs a key store')
  const own = await makeOwn(material, signal)
  const { materialId } = own
  const since = clock.now()
  await noteObject({ accountId, region, storeId, keyId, materialId, phase: 'making', since })
  await use('GenerateKey', { accountId, region, storeId }, async (token) => {
    await token.generateKey({ label: keyId, id: materialId })
    const [made, another] = await token.findKeys({ id: materialId })
    // INVARIANT (stays inside): a token may ignore what it was asked for.
    if (made?.isSafe !== true || made.label !== keyId || another !== undefined) {
      throw new TokenError('UNSAFE_KEY', 'the token made a key that can leave it')
    }
  })
  return own
}

function messageMethods(
  use: Ask,
  { materials, random }: Pick<HsmDependencies, 'materials' | 'random'>,
): Pick<KeyStore, 'encrypt' | 'decrypt'> {
  return {
    async encrypt(key, plaintext, given, kind, signal) {
      const context = requireContext(given)
      const material = await materials.current(key, signal)
      const { materialId } = material.record
      const aad = hsmAad(kind, material.materialId, context)
      const inner = await use('Encrypt', storeOf(key), (token) =>
        token.encrypt(materialId, aad, plaintext),
      )
      signal.throwIfAborted()
      return { ciphertext: sealMessage(material, kind, context, inner, random), materialId }
    },

    async decrypt(key, ciphertext, given, signal) {
      const blob = parseBlob(ciphertext)
      if (blob === undefined) throw new KmsError('InvalidCiphertextException')
      const materialId = Buffer.from(blob.materialId).toString('hex')
      const material = await materials.find(materialId, key, signal)
      if (material === undefined) throw incorrectKey()
      const context = canonicalContext(given)
      if (context === undefined) throw new KmsError('InvalidCiphertextException')
      const inner = opened(material, blob, context)
      const aad = hsmAad(blob.kind, blob.materialId, context)
      const plaintext = await use('Decrypt', storeOf(key), (token) =>
        token.decrypt(materialId, aad, inner),
      )
      return {
        plaintext: Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length),
        materialId,
      }
    },
  }
}

function storeOf({
  accountId,
  region,
  customKeyStoreId: storeId = '',
}: KeyRecord): CustomKeyStoreRef {
  return { accountId, region, storeId }
}
