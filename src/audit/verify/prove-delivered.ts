/**
 * The offline verifier of delivered files: it checks the signatures and the chain of digests, the
 * hashes of log files, and both against the journal as far as it reaches back. It reads a directory
 * with the bucket's layout, where a digest's metadata lies in `<file>.metadata.json`.
 * @see docs/audit-delivery.md
 * @module
 */
import { createPublicKey, hash, verify } from 'node:crypto'
import type { JournalRange } from '../../model/delivery.ts'
import { takes, type TrailRecord } from '../../model/trail.ts'
import type { StoredDelivery } from '../../store/offline.ts'
import type { FilePort } from '../../disk/files.ts'
import type { KnownCheckpoint } from './prove-journal.ts'
import type { JournalBreak } from './verify.ts'
import type { WritersList } from '../journal/writers-list.ts'
import { trailed } from '../delivery/cut.ts'
import {
  bytesOf,
  digestBytesMax,
  isAt,
  logBytesMax,
  metadataBytesMax,
  namesBelow,
  objectFlaw,
  recordsIn,
  textOf,
} from './delivered-files.ts'
import { metadataSuffix } from '../delivery/directory-archive.ts'
import { logFileText } from '../delivery/log-file.ts'
import { expectedObjects, proveCoverage } from './prove-coverage.ts'
import { readRange, type JournalHome } from '../delivery/read-range.ts'

export interface DeliveredReport {
  readonly digests: number
  readonly logFiles: number
  /** Log files that were compared with the journal's records. */
  readonly compared: number
  /** Log files that no digest names yet: nothing is proved about them. */
  readonly unlisted: number
  /** Records of the journal that wait to be delivered. */
  readonly undelivered: number
  readonly breaks: readonly JournalBreak[]
  /** Checkpoints in digests: the journal must hold them. */
  readonly checkpoints: readonly KnownCheckpoint[]
}

interface ListedFile {
  readonly s3Object: string
  readonly hashValue: string
  readonly trent: {
    readonly records: number
    readonly range: JournalRange
    readonly rule: TrailRecord
  }
}

interface Digest {
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly digestS3Bucket: string
  readonly digestS3Object: string
  readonly digestPublicKeyFingerprint: string
  readonly previousDigestS3Object: string | null
  readonly previousDigestHashValue: string | null
  readonly previousDigestSignature: string | null
  readonly logFiles: readonly ListedFile[]
  readonly trent: {
    readonly checkpoints: readonly { readonly text: string; readonly signature: string }[]
  }
}

interface Proving {
  readonly files: FilePort
  readonly directory: string
  readonly list: WritersList
  readonly journal: JournalHome
  readonly breaks: JournalBreak[]
  readonly listed: Map<string, ListedFile>
  compared: number
}

/** @throws when a file cannot be read */
export async function proveDelivered(of: {
  readonly files: FilePort
  /** The directory that holds `AWSLogs`, under a prefix or not. */
  readonly directory: string
  readonly list: WritersList
  readonly journal: JournalHome
  /** The rows of delivery; left out if they cannot be read. */
  readonly stored?: StoredDelivery | undefined
}): Promise<DeliveredReport> {
  const proving: Proving = { ...of, breaks: [], listed: new Map(), compared: 0 }
  const names = (await namesBelow(proving, '')).toSorted()
  const isDigest = (name: string): boolean => name.includes('/CloudTrail-Digest/')
  const isFile = (name: string): boolean => name.endsWith('.json.gz')
  const digestNames = names.filter((name) => isFile(name) && isDigest(name))
  const logNames = names.filter((name) => isFile(name) && !isDigest(name))
  const digests = new Map<
    string,
    { readonly digest: Digest; readonly signature: string; hash: string }
  >()
  for (const name of digestNames) {
    const read = await readDigest(proving, name)
    if (read !== undefined) digests.set(name, read)
  }
  for (const [name, { digest }] of digests) {
    const why = chainFlaw(digest, digests)
    if (why !== undefined) proving.breaks.push({ file: name, offset: 0, why })
  }
  for (const [name, listed] of proving.listed) {
    const why = await logFileFlaw(proving, name, listed)
    if (why !== undefined) proving.breaks.push({ file: name, offset: 0, why })
  }
  // Nothing is proved without a digest.
  if (digests.size === 0) {
    proving.breaks.push({ file: '.', offset: 0, why: 'there is no digest with a valid signature' })
  }
  for (const { key, hash: wanted } of of.stored === undefined ? [] : expectedObjects(of.stored)) {
    const why = await objectFlaw(proving, names, key, wanted)
    if (why !== undefined) proving.breaks.push({ file: key, offset: 0, why })
  }
  const ends = newestEnds(digests)
  const unlisted = logNames.filter((name) => !proving.listed.has(name))
  for (const name of unlisted) {
    const why = unlistedFlaw(name, ends)
    if (why !== undefined) proving.breaks.push({ file: name, offset: 0, why })
  }
  const { stored } = of
  const coverage = await proveCoverage({
    ...of,
    stored,
    covering: [...proving.listed].flatMap(([name, { trent }]) => {
      const region = regionOf(name)
      return region === undefined ? [] : [{ ...trent, region }]
    }),
    unlistedRecords: stored === undefined ? await recordsIn(proving, unlisted) : new Set(),
  })
  proving.breaks.push(...coverage.breaks)
  return {
    digests: digests.size,
    undelivered: coverage.undelivered,
    logFiles: proving.listed.size,
    compared: proving.compared,
    unlisted: unlisted.length,
    breaks: proving.breaks,
    checkpoints: [...digests].flatMap(([from, { digest }]) =>
      digest.trent.checkpoints.map(({ text, signature }) => ({
        text,
        signature: Buffer.from(signature, 'base64'),
        from,
      })),
    ),
  }
}

/** Returns a digest if its signature holds; otherwise reports what is wrong. */
async function readDigest(
  proving: Proving,
  name: string,
): Promise<
  { readonly digest: Digest; readonly signature: string; readonly hash: string } | undefined
> {
  const flaw = (why: string): undefined => {
    proving.breaks.push({ file: name, offset: 0, why })
    return undefined
  }
  const text = await textOf(proving, name, digestBytesMax)
  if (text === undefined) return flaw('the digest is not readable')
  const metadata = await bytesOf(proving, `${name}${metadataSuffix}`, metadataBytesMax)
  if (metadata === undefined) return flaw('the signature of the digest is missing')
  const digestHash = hash('sha256', text, 'hex')
  try {
    const { signature } = JSON.parse(metadata.toString('utf8')) as { readonly signature: string }
    // Nothing of a digest is used further unless a key of the list signed it.
    const digest = JSON.parse(text.toString('utf8')) as Digest
    const { digestEndTime, digestS3Bucket, digestS3Object, previousDigestSignature } = digest
    const key = proving.list.digestKeys.get(digest.digestPublicKeyFingerprint)
    if (key === undefined) return flaw('the list of writers does not name the key of the digest')
    const place = `${digestS3Bucket}/${digestS3Object}`
    const signed = [digestEndTime, place, digestHash, previousDigestSignature ?? 'null'].join('\n')
    const publicKey = createPublicKey({ key, format: 'der', type: 'pkcs1' })
    if (!verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'hex'))) {
      return flaw("the digest's signature does not hold")
    }
    if (!isAt(name, digestS3Object)) return flaw('the digest was moved')
    const before = name.slice(0, name.length - digestS3Object.length)
    for (const file of digest.logFiles) proving.listed.set(`${before}${file.s3Object}`, file)
    return { digest, signature, hash: digestHash }
  } catch {
    return flaw('the digest is not well formed')
  }
}

function chainFlaw(
  digest: Digest,
  digests: ReadonlyMap<string, { readonly signature: string; readonly hash: string }>,
): string | undefined {
  const { previousDigestS3Object: object } = digest
  if (object === null) return undefined
  const found = [...digests].find(([name]) => isAt(name, object))?.[1]
  if (found === undefined) return `the digest before it is missing: ${object}`
  const follows =
    found.signature === digest.previousDigestSignature &&
    found.hash === digest.previousDigestHashValue
  return follows ? undefined : 'the digest before it is another one'
}

async function logFileFlaw(
  proving: Proving,
  name: string,
  { hashValue, trent: { range, rule } }: ListedFile,
): Promise<string | undefined> {
  const text = await textOf(proving, name, logBytesMax)
  if (text === undefined) return 'the log file is missing or not readable'
  if (hash('sha256', text, 'hex') !== hashValue) return 'the log file was changed'
  const { journal, list } = proving
  const first = list.writers.find(({ stream }) => stream === range.stream)?.first
  // The segments were deleted after their delivery, so only the digest vouches for the file.
  if (first === undefined || range.segment < first.segment) return undefined
  const region = regionOf(name)
  try {
    const records = (await readRange(journal, range)).filter((record) => {
      const of = trailed(record)
      return of !== undefined && of.awsRegion === region && takes(rule, of)
    })
    proving.compared += 1
    const same = hash('sha256', logFileText(records), 'hex') === hashValue
    return same ? undefined : 'the log file holds other records than the journal'
  } catch {
    return 'the records of the log file cannot be read in the journal'
  }
}

function newestEnds(
  digests: ReadonlyMap<string, { readonly digest: Digest }>,
): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const [name, { digest }] of digests) {
    const place = placeOf(name)
    const end = Date.parse(digest.digestEndTime)
    ends.set(place, Math.max(end, ends.get(place) ?? -Infinity))
  }
  return ends
}

/** What is wrong with a log file that no digest names. */
function unlistedFlaw(name: string, ends: ReadonlyMap<string, number>): string | undefined {
  const time = madeAt(name)
  if (Number.isNaN(time)) {
    return name.includes('/CloudTrail/') ? 'no log file has such a name' : undefined
  }
  // A digest names every file made in its hour.
  return time < (ends.get(placeOf(name)) ?? -Infinity) ? 'no digest names the file' : undefined
}

/** Prefix, account and Region of a name. */
function placeOf(name: string): string {
  return name.replace(/\/CloudTrail(?:-Digest)?\/([^/]+)\/.*$/, '/$1')
}

/** The time in a log file's name, to the minute; NaN for any other name. */
function madeAt(name: string): number {
  const [, year, month, day, hour, minute] =
    /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z_\w{16}\.json\.gz$/.exec(name) ?? []
  // What is no date can be read as one: `undefined-undefined-…` is the year 2000.
  if (year === undefined) return NaN
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`)
}

/** The Region in a log file's name. */
function regionOf(name: string): string | undefined {
  return name.split('/CloudTrail/')[1]?.split('/')[0]
}
