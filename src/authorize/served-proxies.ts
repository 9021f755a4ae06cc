/**
 * Step 6 for the clients of XKS proxies that Trent serves. The operator who exported a key decided that they
 * may use it, and for what; limits of the proxy and of the credential narrow that.
 *
 * INVARIANT (only what is exported): a call uses a key only if its path's proxy exports it for this use.
 * @module
 */
import type { CachedServedProxy, Lookup } from '../cache/cached-records.ts'
import { KmsError } from '../errors.ts'
import { andThen, type Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import type { ExternalUsage, ProxyLimits } from '../model/served-proxy.ts'
import { compileGlob, piecesOf } from '../policy/glob.ts'
import type { Work } from '../policy/work.ts'

/** A call to a proxy. */
export interface ProxyCall {
  readonly caller: Caller
  /** The name of the operation in the proxy API. */
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  /** The key that the call names; undefined for the health of the proxy. */
  readonly keyId: string | undefined
  readonly work: Work
}

const usages: Readonly<Record<string, ExternalUsage>> = { Encrypt: 'ENCRYPT', Decrypt: 'DECRYPT' }

/** Returns the error that refuses the call; undefined if it is allowed. */
export function refusalOfProxyCall(
  call: ProxyCall,
  lookup: Pick<Lookup, 'servedProxy'>,
): Awaitable<KmsError | undefined> {
  return andThen(lookup.servedProxy(call.caller.uniqueId), (proxy) => decide(call, proxy))
}

function decide(
  { caller, operation, input, keyId, work }: ProxyCall,
  proxy: CachedServedProxy | undefined,
): KmsError | undefined {
  const credential = proxy?.credentials.get(caller.accessKeyId ?? '')
  if (proxy === undefined || credential === undefined) {
    return new KmsError('UnrecognizedClientException', 'the credential was revoked')
  }
  // The specification leaves health out of authorization.
  if (keyId === undefined) return undefined
  const exported = proxy.keys.get(keyId)
  if (exported === undefined) {
    return new KmsError('NotFoundException', 'the XKS proxy does not export the key')
  }
  const metadata = (input['requestMetadata'] ?? {}) as Readonly<Record<string, string>> // its shape
  const called = { operation, keyId, metadata, work }
  const refusing = [proxy.record.limits, credential.record.limits]
    .map((limits) => limits && misfit(limits, called))
    .find((name) => name !== undefined)
  if (refusing !== undefined) {
    const message = `the limits of this external key store do not allow the call: ${refusing}`
    return new KmsError('AccessDeniedException', message)
  }
  const usage = usages[operation]
  if (usage !== undefined && !exported.includes(usage)) {
    return new KmsError('InvalidKeyUsageException', `the key is not exported for ${usage}`)
  }
  return undefined
}

interface Called {
  readonly operation: string
  readonly keyId: string
  readonly metadata: Readonly<Record<string, string>>
  readonly work: Work
}

const patterned = ['awsPrincipalArn', 'kmsKeyArn', 'kmsOperation'] as const

/** The name of the first limit that the call does not fit. */
function misfit(
  limits: ProxyLimits,
  { operation, keyId, metadata, work }: Called,
): string | undefined {
  if (limits.operations?.some((each) => each === operation) === false) return 'operations'
  if (limits.keyIds?.includes(keyId) === false) return 'keyIds'
  return patterned.find((name) => {
    const patterns = limits[name]
    if (patterns === undefined) return false
    const value = metadata[name]
    // AWS KMS asks for the metadata of a key before the KMS key exists.
    if (value === undefined) return name !== 'kmsKeyArn' || operation !== 'GetKeyMetadata'
    return !patterns.some((pattern) => compileGlob(piecesOf(pattern))(value, work))
  })
}
