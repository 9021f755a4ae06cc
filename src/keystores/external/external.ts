/**
 * Keys in external key stores: their material is in a key manager outside, which is asked through a proxy.
 * Trent encrypts under material of its own first, so the proxy never sees a plaintext and cannot return a
 * changed one.
 * @module
 */
import { canonicalContext } from '../../crypto/encryption-context.ts'
import {
  encodeExternal,
  openInner,
  outerAad,
  parseExternal,
  sealInner,
  type OuterParts,
} from '../../crypto/external-message.ts'
import { NotAuthentic } from '../../crypto/keyring.ts'
import { KmsError, type ErrorCode } from '../../errors.ts'
import { invokingService } from '../../model/caller.ts'
import type { Random } from '../../model/clock.ts'
import type { ConnectionErrorCode, CustomKeyStoreRef } from '../../model/custom-key-store.ts'
import type { KeyRecord } from '../../model/key.ts'
import type { JsonObject } from '../../model/json.ts'
import { incorrectKey, requireContext } from '../builtin/builtin-messages.ts'
import type { OpenMaterials } from '../builtin/open-materials.ts'
import type { KeyStore, StoreCall } from '../keystore.ts'
import type { ProxyAddress, ProxyClient } from './proxy-client.ts'
import {
  readDecrypted,
  readEncrypted,
  readHealth,
  readMetadata,
  type ManagerHealth,
} from './proxy-answers.ts'
import { answersOf, ProxyFailure, type ProxyFailureKind } from './proxy-failure.ts'

export interface ExternalDependencies {
  readonly proxies: Pick<ProxyClient, 'call' | 'requireAddress'>
  readonly materials: OpenMaterials
  readonly random: Random
  /** The proxy of a connected key store; undefined if it does not exist or is not connected. */
  readonly connectedProxy: (store: CustomKeyStoreRef) => Promise<ProxyAddress | undefined>
  /** Gets the outcome of each call to a proxy. */
  readonly onCall?: (call: ProxyCallSeen) => void
}

/** One call to a proxy, for metrics. */
export interface ProxyCallSeen {
  readonly proxy: ProxyAddress
  readonly kmsOperation: string
  readonly xksOperation: 'GetKeyMetadata' | 'Encrypt' | 'Decrypt' | 'GetHealthStatus'
  readonly milliseconds: number
  /** Absent for an answer that is believed. */
  readonly failure?: ProxyFailureKind
}

/** What operations on key stores ask of a proxy. */
export interface ExternalKeyStores {
  /** Encrypt and Decrypt for one call. */
  forCall(call: StoreCall): Pick<KeyStore, 'encrypt' | 'decrypt'>
  /**
   * Asks whether the proxy and its key managers work.
   * @throws {KmsError} as CreateCustomKeyStore and UpdateCustomKeyStore answer
   */
  requireHealthy(proxy: ProxyAddress, asked: Asked, signal: AbortSignal): Promise<void>
  /**
   * Checks that it is known where the proxy is, which is not asked.
   * @throws {KmsError} as CreateCustomKeyStore and UpdateCustomKeyStore answer
   */
  requireAddress(proxy: ProxyAddress): Promise<void>
  /** Asks as `requireHealthy` does, after ConnectCustomKeyStore: why it fails; undefined if it does not. */
  whyNotConnected(
    proxy: ProxyAddress,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<ConnectionErrorCode | undefined>
  /** The health of each key manager; undefined if the proxy does not say it. */
  healthOf(
    proxy: ProxyAddress,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<readonly ManagerHealth[] | undefined>
  /**
   * Asks whether an external key can stand behind a new KMS key.
   * @throws {KmsError} as CreateKey answers
   */
  requireKey(
    xksKeyId: string,
    store: CustomKeyStoreRef,
    call: StoreCall,
    signal: AbortSignal,
  ): Promise<void>
}

/** For whom a proxy is asked about its health. */
export type Asked = Pick<StoreCall, 'operation' | 'requestId'>

export function createExternalKeyStores(dependencies: ExternalDependencies): ExternalKeyStores {
  const { connectedProxy, proxies } = dependencies
  const askManagers = (
    proxy: ProxyAddress,
    { operation, requestId }: Asked,
    signal: AbortSignal,
  ): Promise<readonly ManagerHealth[]> => {
    const requestMetadata = { kmsRequestId: requestId, kmsOperation: operation }
    const call = { proxy, kmsOperation: operation, xksOperation: 'GetHealthStatus' } as const
    return ask(
      call,
      { path: 'health', body: { requestMetadata } },
      readHealth,
      dependencies,
      signal,
    )
  }
  const askHealth = async (...of: Parameters<typeof askManagers>): Promise<void> => {
    const managers = await askManagers(...of)
    if (managers.every((health) => health === 'UNAVAILABLE')) {
      throw new ProxyFailure('XksProxyUnhealthy')
    }
  }
  return {
    forCall: (call) => messageMethods(call, dependencies),

    requireHealthy: (proxy, asked, signal) =>
      saying('store', () => askHealth(proxy, asked, signal)),

    requireAddress: (proxy) => saying('store', async () => proxies.requireAddress(proxy)),

    async whyNotConnected(proxy, asked, signal) {
      try {
        await askHealth(proxy, asked, signal)
        return undefined
      } catch (error) {
        if (error instanceof ProxyFailure) return answersOf(error.kind).connection
        throw error
      }
    },

    async healthOf(...of) {
      try {
        return await askManagers(...of)
      } catch (error) {
        if (error instanceof ProxyFailure) return undefined
        throw error
      }
    },

    async requireKey(xksKeyId, store, call, signal) {
      const proxy = await connectedProxy(store)
      if (proxy === undefined) throw notConnected('CustomKeyStoreInvalidStateException')
      const found = await saying('createKey', async () => {
        const sent = {
          path: `keys/${xksKeyId}/metadata`,
          body: { requestMetadata: metadataOf(call) },
        }
        const { operation: kmsOperation } = call
        const about = { proxy, kmsOperation, xksOperation: 'GetKeyMetadata' } as const
        return ask(about, sent, readMetadata, dependencies, signal)
      })
      requireUsable(found)
    },
  }
}

/** Calls a proxy, reads its answer, and reports how that went. @throws {ProxyFailure} */
async function ask<T>(
  call: Omit<ProxyCallSeen, 'milliseconds' | 'failure'>,
  { path, body }: { readonly path: string; readonly body: JsonObject },
  read: (answer: JsonObject) => T,
  { proxies, onCall }: Pick<ExternalDependencies, 'proxies' | 'onCall'>,
  signal: AbortSignal,
): Promise<T> {
  const started = performance.now()
  const report = (failure?: ProxyFailureKind): void =>
    onCall?.({ ...call, milliseconds: performance.now() - started, ...(failure && { failure }) })
  try {
    const content = read(await proxies.call(call.proxy, path, body, signal))
    report()
    return content
  } catch (error) {
    if (error instanceof ProxyFailure) report(error.kind)
    throw error
  }
}

/** What a call asks of the proxy of a key. */
interface KeyQuestion<T> {
  readonly key: KeyRecord
  readonly operation: 'encrypt' | 'decrypt'
  readonly given: JsonObject
  readonly read: (answer: JsonObject) => T
}

/** @throws {ProxyFailure} @throws {KmsError} if the key store is not connected */
async function askKey<T>(
  call: StoreCall,
  { key, operation, given, read }: KeyQuestion<T>,
  dependencies: ExternalDependencies,
  signal: AbortSignal,
): Promise<T> {
  const { accountId, region, customKeyStoreId: storeId = '', xksKeyId = '' } = key
  const proxy = await dependencies.connectedProxy({ accountId, region, storeId })
  if (proxy === undefined) throw notConnected('KMSInvalidStateException')
  const requestMetadata = { ...metadataOf(call), kmsKeyArn: call.arn(key) }
  const sent = { path: `keys/${xksKeyId}/${operation}`, body: { requestMetadata, ...given } }
  const xksOperation = operation === 'encrypt' ? 'Encrypt' : 'Decrypt'
  const about = { proxy, kmsOperation: call.operation, xksOperation } as const
  return ask(about, sent, read, dependencies, signal)
}

/** Encrypt and Decrypt for one call. */
function messageMethods(
  call: StoreCall,
  dependencies: ExternalDependencies,
): Pick<KeyStore, 'encrypt' | 'decrypt'> {
  const { materials, random } = dependencies
  return {
    async encrypt(key, plaintext, given, kind, signal) {
      const context = requireContext(given)
      const material = await materials.current(key, signal)
      const { materialId } = material.record
      const inner = sealInner(material, kind, context, plaintext, random)
      const aad = outerAad(inner.header, context)
      const body = {
        additionalAuthenticatedData: textOf(aad),
        plaintext: textOf(inner.sealed),
        encryptionAlgorithm: 'AES_GCM',
        ciphertextDataIntegrityValueAlgorithm: 'SHA_256',
      }
      return saying('use', async () => {
        const read = (answer: JsonObject): OuterParts =>
          readEncrypted(answer, aad, inner.sealed.length)
        const outer = await askKey(
          call,
          { key, operation: 'encrypt', given: body, read },
          dependencies,
          signal,
        )
        return { ciphertext: encodeExternal(inner.header, outer), materialId }
      })
    },

    async decrypt(key, ciphertext, given, signal) {
      const blob = parseExternal(ciphertext)
      const context = canonicalContext(given)
      if (blob === undefined || context === undefined) {
        throw new KmsError('InvalidCiphertextException')
      }
      const materialId = textOf(blob.materialId, 'hex')
      const material = await materials.find(materialId, key, signal)
      if (material === undefined) throw incorrectKey()
      const { header, outer } = blob
      const body = {
        additionalAuthenticatedData: textOf(outerAad(header, context)),
        ciphertext: textOf(outer.ciphertext),
        ...(outer.metadata.length > 0 && { ciphertextMetadata: textOf(outer.metadata) }),
        encryptionAlgorithm: 'AES_GCM',
        initializationVector: textOf(outer.iv),
        authenticationTag: textOf(outer.tag),
      }
      return saying('use', async () => {
        const read = (answer: JsonObject): Buffer => {
          const sealed = readDecrypted(answer, outer.ciphertext.length)
          return opened(material, { header, sealed }, context)
        }
        return {
          plaintext: await askKey(
            call,
            { key, operation: 'decrypt', given: body, read },
            dependencies,
            signal,
          ),
          materialId,
        }
      })
    },
  }
}

/** Opens what a proxy returned. @throws {ProxyFailure} if it is not what was encrypted */
function opened(...given: Parameters<typeof openInner>): Buffer {
  try {
    return openInner(...given)
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error
    throw new ProxyFailure('XksProxyInvalidCiphertext')
  }
}

/** @throws {KmsError} `XksKeyInvalidConfigurationException` */
function requireUsable({ keySpec, keyUsage, keyStatus }: ReturnType<typeof readMetadata>): void {
  const wrong = (message: string): KmsError =>
    new KmsError('XksKeyInvalidConfigurationException', message)
  if (keySpec !== 'AES_256') {
    throw wrong(
      'The key spec of the external key must be AES_256. ' +
        `The key spec of specified external key is ${keySpec}.`,
    )
  }
  if (!keyUsage.includes('ENCRYPT') || !keyUsage.includes('DECRYPT')) {
    throw wrong(
      'The key usage of the external key must include ENCRYPT and DECRYPT. ' +
        `The key use of specified external key is ${keyUsage.join(', ') || 'none'}.`,
    )
  }
  if (keyStatus !== 'ENABLED') {
    throw wrong(
      'The status of the external key must be ENABLED. ' +
        `The status of specified external key is ${keyStatus}.`,
    )
  }
}

/** Answers a failure of the proxy with AWS's code for the place. */
async function saying<T>(place: 'store' | 'createKey' | 'use', work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof ProxyFailure)) throw cause
    const answers = answersOf(cause.kind)
    const code = place === 'use' ? 'KMSInvalidStateException' : answers[place]
    throw new KmsError(code, answers.message, { cause })
  }
}

/** AWS's answer for a key store that is not connected. */
export function notConnected(code: ErrorCode): KmsError {
  return new KmsError(
    code,
    'This KMS key is in a custom key store that is not connected to its external key store proxy. ' +
      'Connect the external key store and try the request again.',
  )
}

function metadataOf({ caller, operation, requestId }: StoreCall): JsonObject {
  const service = invokingService(caller)
  return {
    awsPrincipalArn: caller.arn,
    kmsOperation: operation,
    kmsRequestId: requestId,
    ...(service && { kmsViaService: service.name }),
  }
}

function textOf(bytes: Uint8Array, encoding: 'base64' | 'hex' = 'base64'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding)
}
