/**
 * The header of a backup. It is not secret: everything in it is sealed, wrapped or signed by itself. It is
 * read before anything is proved, so each member is checked.
 * @module
 */
import { MalformedJson, parseJson } from '../model/json.ts'

/** A sealed root key. `record` is base64. */
export interface BackedUpSeal {
  readonly role: 'current' | 'recovery'
  readonly kind: string
  readonly record: string
}

export interface BackupHeader {
  /** 32 random bytes, base64: they give the backup its own key. */
  readonly salt: string
  readonly deploymentId: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** The version of the schema of the rows. */
  readonly schema: number
  /** The number of the last change in the backup. */
  readonly change: number
  /** The version of the domain key that the content is encrypted under. */
  readonly keyVersion: number
  /** The number of rows. */
  readonly rows: number
  readonly seals: readonly BackedUpSeal[]
  /** `wrapped` is base64. */
  readonly domainKeys: readonly { readonly version: number; readonly wrapped: string }[]
  /** The last checkpoint of each stream of the journal that the database held: where the log goes on. */
  readonly streams: readonly {
    readonly stream: string
    readonly checkpoint: string
    /** Base64. */
    readonly signature: string
    /** False if it had ended, so that no change after the backup is in it. Earlier backups do not say. */
    readonly isWritten?: boolean
  }[]
}

/** The last time that a `Date` can have. */
const timeMax = 8.64e15

type Unread = Readonly<Record<string, unknown>>

/** Undefined if it is not one. */
export function readHeader(bytes: Buffer): BackupHeader | undefined {
  let value: unknown
  try {
    value = parseJson(bytes, { depthMax: 4, valuesMax: 100_000 })
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    return undefined
  }
  const header = Object(value) as Unread // each member is checked below
  const { salt, deploymentId, seals, domainKeys, streams } = header
  const { createdAt, schema, change, keyVersion, rows } = header
  const numbers = [createdAt, schema, change, keyVersion, rows]
  const isHeader =
    numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 0) &&
    Number(createdAt) <= timeMax &&
    isBytes(salt) &&
    isText(deploymentId) &&
    isListOf(
      seals,
      ({ role, kind, record }) =>
        (role === 'current' || role === 'recovery') && isText(kind) && isBytes(record),
    ) &&
    isListOf(domainKeys, ({ version, wrapped }) => isVersion(version) && isBytes(wrapped)) &&
    areApart(domainKeys) &&
    isListOf(
      streams,
      ({ stream, checkpoint, signature, isWritten }) =>
        isText(stream) &&
        isText(checkpoint) &&
        isBytes(signature) &&
        (isWritten === undefined || typeof isWritten === 'boolean'),
    )
  return isHeader ? (value as BackupHeader) : undefined
}

function isListOf(list: unknown, isOne: (one: Unread) => boolean): boolean {
  return Array.isArray(list) && list.every((one: unknown) => isOne(Object(one) as Unread))
}

/** As `domainKeyAad` takes it: a u32. */
function isVersion(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) < 2 ** 32
}

/** There is at least one key, and no version twice. */
function areApart(domainKeys: unknown): boolean {
  const versions = (domainKeys as readonly Unread[]).map(({ version }) => version)
  return versions.length > 0 && new Set(versions).size === versions.length
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isBytes(value: unknown): boolean {
  return isText(value) && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}
