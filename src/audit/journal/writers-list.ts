/**
 * The signed list of the journal's writers, `writers.json` in its directory: the streams that must
 * exist, the beginning of each, and the public keys that sign. docs/audit-journal.md specifies its
 * form, which may never change for version 1.
 * @module
 */
import { join } from 'node:path'
import type { AuditWriter, StreamStart } from '../../model/audit-writer.ts'
import type { DigestPublicKey } from '../../model/trail.ts'
import { fingerprintOf, statementHolds } from '../../crypto/statements.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { RetiredKey } from '../../store/schema/audit.ts'
import type { Store } from '../../store/store.ts'
import { replaceFile } from '../../disk/durable.ts'
import { readAll, type FilePort } from '../../disk/files.ts'

export const writersFile = 'writers.json'
const fileBytesMax = 4 * 1024 * 1024

export interface ListedWriter {
  readonly stream: string
  readonly first: StreamStart
}

export interface ListedKey {
  readonly version: number
  /** SPKI, DER. */
  readonly publicKey: Buffer
  /** SHA-256 of the public key, in lower-case hex. */
  readonly fingerprint: string
}

export interface WritersList {
  readonly deployment: string
  readonly keys: readonly ListedKey[]
  readonly writers: readonly ListedWriter[]
  /** PKCS#1, DER, by fingerprint: the keys that sign digest files. */
  readonly digestKeys: ReadonlyMap<string, Buffer>
}

/** Makes a function that writes the list from the store and the key ring, one call at a time. */
export function createListing(of: {
  readonly files: FilePort
  /** The journal's directory. */
  readonly directory: string
  readonly store: Pick<Store, 'listAuditWriters' | 'listDigestKeys' | 'listRetiredKeys'>
  readonly keyring: Pick<Keyring, 'deploymentId' | 'statementKeys' | 'signStatement'>
}): () => Promise<void> {
  const { store, keyring } = of
  const write = async (): Promise<void> => {
    const writers = await store.listAuditWriters()
    const digestKeys = await store.listDigestKeys()
    const retiredKeys = await store.listRetiredKeys()
    await writeWritersList(of, keyring, { writers, digestKeys, retiredKeys })
  }
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const written = last.then(write)
    last = written.catch(() => undefined) // the caller gets the error
    return written
  }
}

/** Replaces the list durably, signed with every key of the deployment. */
export async function writeWritersList(
  to: { readonly files: FilePort; readonly directory: string },
  keyring: Pick<Keyring, 'deploymentId' | 'statementKeys' | 'signStatement'>,
  {
    writers,
    digestKeys,
    retiredKeys = [],
  }: {
    readonly writers: readonly AuditWriter[]
    readonly digestKeys: readonly DigestPublicKey[]
    /** They signed older checkpoints, and sign nothing any more. */
    readonly retiredKeys?: readonly RetiredKey[]
  },
): Promise<void> {
  const signing = keyring.statementKeys
  const isSigning = (version: number): boolean => signing.some((key) => key.version === version)
  const text = JSON.stringify({
    writers: writers.map(({ stream, first }) => ({ stream, first })),
    keys: [...retiredKeys.filter(({ version }) => !isSigning(version)), ...signing].map(
      ({ version, publicKey }) => ({
        version,
        publicKey: Buffer.from(publicKey).toString('base64'),
      }),
    ),
    digestKeys: digestKeys.map(({ fingerprint, value }) => ({
      fingerprint,
      publicKey: Buffer.from(value).toString('base64'),
    })),
    deployment: keyring.deploymentId,
  })
  const signatures = signing.map(({ version }) => ({
    key: version,
    signature: keyring.signStatement('writers', text, version).toString('base64'),
  }))
  const bytes = Buffer.from(`${JSON.stringify({ list: 1, text, signatures })}\n`)
  const path = join(to.directory, writersFile)
  await replaceFile(to.files, path, bytes)
}

/**
 * Reads the list in a journal's directory, or returns why it must not be trusted. It needs a signature
 * by one of the keys that the verifier pins. Without pins, the signature of one of its own keys is
 * enough.
 * @param pinned fingerprints of trusted keys
 * @throws when the file exists and cannot be read
 */
export async function readWritersList(
  from: { readonly files: FilePort; readonly directory: string },
  pinned: readonly string[],
): Promise<WritersList | string> {
  const entries = await from.files.list(from.directory)
  if (!entries.some(({ name }) => name === writersFile)) return 'there is no signed list of writers'
  const file = await from.files.openToRead(join(from.directory, writersFile))
  try {
    const size = await file.size()
    if (size > fileBytesMax) return 'the list of writers is too long'
    const bytes = Buffer.alloc(size)
    await readAll(file, bytes, 0)
    return readList(bytes.toString('utf8'), pinned)
  } finally {
    await file.close()
  }
}

interface Outer {
  readonly list: number
  readonly text: string
  readonly signatures: readonly { readonly key: number; readonly signature: string }[]
}

interface Inner {
  readonly deployment: string
  readonly keys: readonly { readonly version: number; readonly publicKey: string }[]
  readonly writers: readonly ListedWriter[]
  readonly digestKeys?: readonly { readonly fingerprint: string; readonly publicKey: string }[]
}

/**
 * Reads and checks the list. A signed list was written by a server, so it is well formed; anything else
 * is refused before it is used.
 */
function readList(bytes: string, pinned: readonly string[]): WritersList | string {
  try {
    const { list, text, signatures } = JSON.parse(bytes) as Outer // wrong types throw below
    if (list !== 1) return 'the version of the list of writers is unknown'
    const {
      deployment,
      keys: listed,
      writers,
      digestKeys: signing = [],
    } = JSON.parse(text) as Inner
    const keys = listed.map(({ version, publicKey: base64 }) => {
      const publicKey = Buffer.from(base64, 'base64')
      return { version, publicKey, fingerprint: fingerprintOf(publicKey) }
    })
    const trusted =
      pinned.length === 0 ? keys : keys.filter((key) => pinned.includes(key.fingerprint))
    if (trusted.length === 0) return 'the list of writers has none of the trusted keys'
    const holds = signatures.some(({ key: version, signature }) =>
      trusted.some(
        (key) =>
          key.version === version &&
          statementHolds(key.publicKey, 'writers', text, Buffer.from(signature, 'base64')),
      ),
    )
    const digestKeys = new Map(
      signing.map((key) => [key.fingerprint, Buffer.from(key.publicKey, 'base64')]),
    )
    return holds
      ? { deployment, keys, writers, digestKeys }
      : 'the signature of the list of writers is not valid'
  } catch {
    return 'the list of writers is not well formed'
  }
}
