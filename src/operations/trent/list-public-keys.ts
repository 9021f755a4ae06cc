/**
 * ListPublicKeys — `trent export-public-keys`: lists the asymmetric keys of all accounts with their public
 * keys, in pages.
 * @module
 */
import { algorithmNames, keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import { keyArn, type KeyRecord } from '../../model/key.ts'
import { integer, text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import { trentOperation } from './trent-operation.ts'

export interface ListedPublicKey {
  readonly arn: string
  readonly accountId: string
  readonly region: string
  readonly keyId: string
  readonly spec: string
  readonly usage: string
  readonly state: string
  /** Names of the algorithms that AWS lists for it. */
  readonly algorithms: readonly string[]
  /** SPKI, DER, base64; absent while the key has no material, as in PendingImport. */
  readonly publicKey?: string
}

export interface PublicKeysPage {
  readonly keys: readonly ListedPublicKey[]
  /** Marker of the next page; absent on the last page. A page may be empty and have one. */
  readonly after?: string
}

/** Keys and accounts that one page reads. Most of the keys may be symmetric. */
const readMax = 500
/** After every Region's name, in byte order. */
const endOfAccount = '~'

export const listPublicKeys = trentOperation<PublicKeysPage>()({
  name: 'ListPublicKeys',
  door: 'operator',
  input: {
    after: text({ max: 2048, pattern: '^[0-9]{12}/[^/]*/[^/]*$' }),
    limit: integer({ min: 1, max: readMax }),
  },
  permissions: () => [{ action: 'trent:ListPublicKeys' }],
  readOnly: true,
  audit: ['after', 'limit'],
  throws: ['ValidationException', 'AccessDeniedException'],
  async run({ input: { after, limit = readMax }, partition, signal, keyStoreOf }, dependencies) {
    const { store, regions } = dependencies
    const keys: ListedPublicKey[] = []
    let read = 0
    for await (const { place, key } of keysAfter(store, after, limit)) {
      if (key !== undefined && keySpecs[key.spec].kind === 'asymmetric') {
        const arn = keyArn(regions.partitionOf(key.region) ?? partition, key)
        keys.push(await listed(key, arn, () => keyStoreOf(key).publicKey(key, signal)))
      }
      read += 1
      if (read >= limit) return { keys, after: place }
    }
    return { keys }
  },
})

interface Visited {
  /** The marker with which the next page goes on. */
  readonly place: string
  /** Absent at the end of an account. */
  readonly key?: KeyRecord
}

async function* keysAfter(
  store: Pick<StoreReads, 'listAccounts' | 'listKeyRegions' | 'listKeys'>,
  after: string | undefined,
  limit: number,
): AsyncGenerator<Visited> {
  const [reached, ...within] = after?.split('/') ?? []
  if (reached !== undefined) yield* keysOf(store, reached, within, limit)
  let last = reached
  for (;;) {
    const accounts = await store.listAccounts({ limit: 100, ...(last && { after: last }) })
    for (const { accountId } of accounts) yield* keysOf(store, accountId, [], limit)
    last = accounts.at(-1)?.accountId
    if (last === undefined) return
  }
}

async function* keysOf(
  store: Pick<StoreReads, 'listKeyRegions' | 'listKeys'>,
  accountId: string,
  [reached = '', keyReached]: readonly string[],
  limit: number,
): AsyncGenerator<Visited> {
  if (reached === endOfAccount) return
  for (const region of await store.listKeyRegions(accountId)) {
    if (region < reached) continue
    let last = region === reached ? keyReached : undefined
    for (;;) {
      const page = { limit, ...(last !== undefined && { after: last }) }
      const found = await store.listKeys(accountId, region, page)
      for (const key of found) yield { place: `${accountId}/${region}/${key.keyId}`, key }
      last = found.at(-1)?.keyId
      if (last === undefined) break
    }
  }
  yield { place: `${accountId}/${endOfAccount}/` }
}

async function listed(
  key: KeyRecord,
  arn: string,
  publicKeyOf: () => Promise<Uint8Array> | Uint8Array,
): Promise<ListedPublicKey> {
  const { accountId, region, keyId, spec, usage, state } = key
  const algorithms = algorithmNames(spec, usage)
  const about = { arn, accountId, region, keyId, spec, usage, state, algorithms }
  try {
    return { ...about, publicKey: Buffer.from(await publicKeyOf()).toString('base64') }
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    return about
  }
}
