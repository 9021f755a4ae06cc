/** What the operations on served XKS proxies share: their members, and what may be exported. @module */
import { KmsError } from '../../errors.ts'
import { formatArn } from '../../model/arn.ts'
import type { KeyRecord, KeyRef } from '../../model/key.ts'
import {
  externalUsages,
  proxyIdPattern,
  servedPath,
  servedProxyLimits,
  xksOperations,
  type ExportedKeyRecord,
  type ExternalUsage,
  type ProxyLimits,
  type ServedProxyRecord,
  type ServedProxyRef,
} from '../../model/served-proxy.ts'
import { list, oneOf, required, structure, text } from '../../model/shape.ts'
import type { Transaction } from '../../store/store.ts'
import type { Call, Concerned } from '../contract/call.ts'

const entries = { min: 1, max: servedProxyLimits.entries }
const pattern = text({ min: 1, max: 2048 })

export const proxyId = required(text({ pattern: proxyIdPattern }))
export const keyId = text({ min: 1, max: 128, pattern: '[a-zA-Z0-9-]+' })
export const usages = list(oneOf(externalUsages), { max: externalUsages.length })
export const proxyLimits = structure({
  operations: list(oneOf(xksOperations), entries),
  keyIds: list(keyId, entries),
  awsPrincipalArn: list(pattern, entries),
  kmsKeyArn: list(pattern, entries),
  kmsOperation: list(pattern, entries),
})

/** The file that AWS's console imports, in AWS's words. */
export interface ProxyConfiguration {
  readonly XksProxyUriPath: string
  readonly XksProxyAuthenticationCredential: {
    readonly AccessKeyId: string
    readonly RawSecretAccessKey: string
  }
}

/** @param made a new credential of the proxy */
export function configurationOf(
  proxy: ServedProxyRef,
  made: { readonly record: { readonly accessKeyId: string }; readonly plaintextSecret: string },
): ProxyConfiguration {
  return {
    XksProxyUriPath: servedPath(proxy),
    XksProxyAuthenticationCredential: {
      AccessKeyId: made.record.accessKeyId,
      RawSecretAccessKey: made.plaintextSecret,
    },
  }
}

export interface ShownCredential {
  readonly accessKeyId: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly limits?: ProxyLimits
}

/** @throws {KmsError} `NotFoundException` */
export async function presentProxy(
  transaction: Pick<Transaction, 'findServedProxy'>,
  id: string,
): Promise<ServedProxyRecord> {
  const proxy = await transaction.findServedProxy({ proxyId: id })
  if (proxy === undefined) throw new KmsError('NotFoundException', `There is no XKS proxy ${id}`)
  return proxy
}

/** The account of the keys gets a record of the change too. */
export function concernedProxy(
  { accountId, region, proxyId: id }: Pick<ServedProxyRecord, 'accountId' | 'region' | 'proxyId'>,
  { partition }: Pick<Call<unknown, never>, 'partition'>,
): Concerned {
  const resource = `xks-proxy/${id}`
  const arn = formatArn({ partition, service: 'trent', region, accountId, resource })
  return { arn, accountId, type: 'Trent::XksProxy' }
}

/** Exports a key, or changes what it is exported for. @throws {KmsError} */
export async function exportKey(
  transaction: Transaction,
  proxy: ServedProxyRecord,
  {
    key: id,
    usages: given,
    now,
  }: {
    readonly key: string
    readonly usages: readonly ExternalUsage[]
    /** Milliseconds since the epoch. */
    readonly now: number
  },
): Promise<ExportedKeyRecord> {
  const { accountId, region } = proxy
  const ref = { accountId, region, keyId: id }
  requireExportable(await transaction.findKey(ref), ref)
  const unique = externalUsages.filter((each) => given.includes(each))
  const present = await transaction.findExportedKey({ proxyId: proxy.proxyId, keyId: id })
  if (present !== undefined) return transaction.updateExportedKey(present, { usages: unique })
  const others = await transaction.listExportedKeys(proxy)
  if (others.length >= servedProxyLimits.keys) {
    const message = `an XKS proxy exports at most ${servedProxyLimits.keys} keys`
    throw new KmsError('LimitExceededException', message)
  }
  const named = { proxyId: proxy.proxyId, ...ref }
  return transaction.insertExportedKey({ ...named, usages: unique, createdAt: now })
}

/** @throws {KmsError} `NotFoundException`, `ValidationException` */
function requireExportable(key: KeyRecord | undefined, { keyId: id, region }: KeyRef): void {
  if (key === undefined) {
    throw new KmsError('NotFoundException', `There is no key ${id} in ${region} of this account`)
  }
  const { spec, usage, origin, manager } = key
  const isSymmetric = spec === 'SYMMETRIC_DEFAULT' && usage === 'ENCRYPT_DECRYPT'
  const isHere = origin === 'AWS_KMS' || origin === 'EXTERNAL'
  if (isSymmetric && isHere && manager === 'CUSTOMER') return
  throw new KmsError(
    'ValidationException',
    `${id} cannot be exported: only customer managed symmetric encryption keys whose material is here can be`,
  )
}
