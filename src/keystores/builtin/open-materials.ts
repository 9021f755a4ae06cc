/**
 * The opened materials of the built-in store. It finds the material for a call and checks that it
 * belongs to the key.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { publicKeyDer, publicKeyOf } from '../../crypto/algorithms/key-forms.ts'
import { NotAuthentic } from '../../crypto/keyring.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import { openMaterial } from '../../crypto/material.ts'
import { KmsError } from '../../errors.ts'
import { andThen, type Awaitable } from '../../model/awaitable.ts'
import type { Clock } from '../../model/clock.ts'
import type { KeyRecord, MaterialRecord } from '../../model/key.ts'
import { createHandles } from './handles.ts'
import type { HandleLimits } from './handles.ts'

export interface OpenMaterialsDependencies {
  readonly keyring: Keyring
  readonly findMaterial: (materialId: string) => Promise<MaterialRecord | undefined>
  readonly clock: Clock
  readonly handles?: Partial<HandleLimits>
  /** Called when a stored material does not open or does not match its id. Raise an alarm. */
  readonly onForgedMaterial?: (materialId: string) => void
}

/** An opened material, and the row that names its key. */
export interface OpenMaterial {
  /** A secret key, or the private key of a pair. */
  readonly key: KeyObject
  readonly materialId: Buffer
  readonly record: MaterialRecord
  /** The public half of a pair: derived on first use, then kept with the material. */
  readonly publicKey: () => KeyObject
  /** SubjectPublicKeyInfo, DER. It is kept, so callers must not write to it. */
  readonly publicKeyDer: () => Uint8Array
}

export interface OpenMaterials {
  /** The key's current material. @throws {KmsError} `KeyUnavailableException` */
  readonly current: (key: KeyRecord, signal: AbortSignal) => Awaitable<OpenMaterial>
  /** Returns a material of the key by its id; undefined if the key has no such material. */
  readonly find: (
    materialId: string,
    key: KeyRecord,
    signal: AbortSignal,
  ) => Awaitable<OpenMaterial | undefined>
  /** Closes a material; all materials without an id. */
  readonly forget: (materialId?: string) => void
}

const defaultHandles: HandleLimits = { max: 10_000, idleMs: 15 * 60_000 }

export function createOpenMaterials(dependencies: OpenMaterialsDependencies): OpenMaterials {
  const handles = createHandles<OpenMaterial>(
    { ...defaultHandles, ...dependencies.handles },
    dependencies.clock,
  )
  const load = (id: string, signal: AbortSignal): Promise<OpenMaterial | undefined> =>
    untilAborted(
      handles.get(id, () => open(dependencies, id)),
      signal,
    )
  const find: OpenMaterials['find'] = (id, key, signal) =>
    andThen(handles.peek(id) ?? load(id, signal), (material) =>
      material !== undefined && belongs(material, key) ? material : undefined,
    )
  return {
    find,
    current(key, signal) {
      signal.throwIfAborted()
      const { currentMaterialId: id } = key
      return andThen(id === undefined ? undefined : find(id, key, signal), (material) => {
        if (material === undefined) throw unavailable()
        return material
      })
    },
    forget: (materialId) => handles.forget(materialId),
  }
}

/**
 * @throws {KmsError} `KeyUnavailableException` if the database is unreachable or the row is forged
 */
async function open(
  dependencies: OpenMaterialsDependencies,
  materialId: string,
): Promise<OpenMaterial | undefined> {
  const record = await findRecord(dependencies, materialId)
  if (record === undefined || record.wrapped.length === 0) return undefined
  try {
    // The id inside the row must match, so that another material's row cannot stand in for this
    // one.
    if (record.materialId !== materialId) throw new NotAuthentic('the row is of another material')
    return withPublicKey({
      key: openMaterial(dependencies.keyring, record),
      materialId: Buffer.from(materialId, 'hex'),
      record,
    })
  } catch (error) {
    if (!(error instanceof NotAuthentic)) throw error
    dependencies.onForgedMaterial?.(materialId)
    throw unavailable(error)
  }
}

function withPublicKey(material: Omit<OpenMaterial, 'publicKey' | 'publicKeyDer'>): OpenMaterial {
  let derived: KeyObject | undefined
  let encoded: Uint8Array | undefined
  const publicKey = (): KeyObject => (derived ??= publicKeyOf(material.key))
  return { ...material, publicKey, publicKeyDer: () => (encoded ??= publicKeyDer(publicKey())) }
}

async function findRecord(
  dependencies: OpenMaterialsDependencies,
  materialId: string,
): Promise<MaterialRecord | undefined> {
  try {
    return await dependencies.findMaterial(materialId)
  } catch (error) {
    throw unavailable(error)
  }
}

/** Whether the material belongs to exactly this key. Replicas in other Regions share it. */
function belongs({ record }: OpenMaterial, key: KeyRecord): boolean {
  return (
    record.accountId === key.accountId &&
    record.keyId === key.keyId &&
    record.spec === key.spec &&
    record.usage === key.usage
  )
}

/** Returns early when the call is cancelled. The load itself is shared and continues. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stopListening = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    stopListening = () => signal.removeEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    stopListening()
  }
}

function unavailable(cause?: unknown): KmsError {
  const message = 'The request was rejected because the specified KMS key was not available.'
  return new KmsError('KeyUnavailableException', `${message} You can retry the request.`, { cause })
}
