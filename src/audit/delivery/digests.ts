/**
 * Digest files. Once an hour, for each trail and Region, a signed digest lists the log files of that
 * hour and names the previous digest. A member of our own holds the last checkpoint of each stream.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 * @module
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { AuditWriter } from '../../model/audit-writer.ts'
import type { DeliveryFile, DigestChain } from '../../model/delivery.ts'
import type { TrailRecord } from '../../model/trail.ts'
import { StaleRow, type Store } from '../../store/store.ts'
import type { DigestKeys } from './digest-keys.ts'
import { digestFileKey, isoSeconds } from './log-file.ts'
import type { Spool } from './spool.ts'
import type { Trails } from './trails.ts'

const compress = promisify(gzip)
const hourMs = 3_600_000
export const signatureAlgorithm = 'SHA256withRSA'

export interface DigestDependencies {
  readonly store: Pick<
    Store,
    'listDigestChains' | 'deleteDigestChain' | 'listUnlisted' | 'saveDigest' | 'listAllAuditWriters'
  >
  readonly spool: Spool
  readonly trails: Trails
  readonly keys: DigestKeys
  readonly nextSequence: () => number
}

/** Every hour of a gap up to this length gets a digest, as at AWS; a longer gap is shortened. */
const gapHoursMax = 24

/**
 * Makes one digest that is due, for the hour after the last digest of its chain.
 * @returns whether there may be more
 */
export async function makeDigest(dependencies: DigestDependencies, now: number): Promise<boolean> {
  const { store, trails } = dependencies
  const end = Math.floor(now / hourMs) * hourMs
  const due = (await store.listDigestChains()).find((chain) => chain.end < end)
  if (due === undefined) return false
  const { accountId, homeRegion, name } = due.trail
  const all = await trails.of(accountId)
  const trail = all.find((each) => each.homeRegion === homeRegion && each.name === name)
  // When validation is switched on again, a new chain starts.
  if (trail === undefined || !trail.logFileValidation) await store.deleteDigestChain(due)
  else await saveOne(dependencies, trail, due, await endOf(due, end, store))
  return true
}

/**
 * The end of the next digest. An hour that has files gets its own digest, so that validating that hour
 * finds it. The rest of a long gap, after a stop or a leap of the clock, gets one digest for all of it.
 */
async function endOf(
  chain: DigestChain,
  lastHour: number,
  store: DigestDependencies['store'],
): Promise<number> {
  const next = chain.end + hourMs
  if (lastHour - chain.end <= gapHoursMax * hourMs) return next
  const hasFiles = (await store.listUnlisted(chain, next)).length > 0
  return hasFiles ? next : lastHour
}

async function saveOne(
  dependencies: DigestDependencies,
  trail: TrailRecord,
  chain: DigestChain,
  end: number,
): Promise<void> {
  const { store, spool, keys, nextSequence } = dependencies
  const listed = await store.listUnlisted(chain, end)
  const writers = await store.listAllAuditWriters()
  const signer = await keys.signerAt(end)
  const { accountId, homeRegion, name: trailName, bucket, prefix, kmsKeyId } = trail
  const { region } = chain
  const key = digestFileKey({ prefix, accountId, region, trailName, homeRegion }, end)
  const at = { bucket, key, end, fingerprint: signer.fingerprint }
  const text = Buffer.from(digestText({ trail, chain, at, listed, writers }))
  const digestHash = hash('sha256', text, 'hex')
  const signature = signer.sign(
    [isoSeconds(end), `${bucket}/${key}`, digestHash, chain.last?.signature ?? 'null'].join('\n'),
  )
  const bytes = await compress(text)
  const sequence = nextSequence()
  await spool.write(sequence, bytes)
  await spool.settle()
  const digest: DeliveryFile = {
    trail: chain.trail,
    region,
    sequence,
    kind: 'digest',
    bucket,
    key,
    hash: digestHash,
    bytesHash: hash('sha256', bytes, 'hex'),
    records: 0,
    metadata: { signature, 'signature-algorithm': signatureAlgorithm },
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    madeAt: end,
    isNotified: true,
    isListed: true,
  }
  const last = { bucket, key, hash: digestHash, signature }
  const saved = { digest, chain: { ...chain, end, last }, after: chain.end, listed }
  await store.saveDigest(saved).catch(async (error: unknown) => {
    // After any other failure the row may be there, as in `cut.ts`.
    if (!(error instanceof StaleRow)) throw error
    // Another node has made the digest, or a file for it: the next call decides on that.
    await spool.remove([sequence])
  })
}

function digestText(of: {
  readonly trail: TrailRecord
  readonly chain: DigestChain
  readonly at: {
    readonly bucket: string
    readonly key: string
    readonly end: number
    readonly fingerprint: string
  }
  readonly listed: readonly DeliveryFile[]
  readonly writers: readonly AuditWriter[]
}): string {
  const { trail, chain, at, listed, writers } = of
  const { last } = chain
  return JSON.stringify({
    awsAccountId: trail.accountId,
    digestStartTime: isoSeconds(chain.end),
    digestEndTime: isoSeconds(at.end),
    digestS3Bucket: at.bucket,
    digestS3Object: at.key,
    digestPublicKeyFingerprint: at.fingerprint,
    digestSignatureAlgorithm: signatureAlgorithm,
    newestEventTime: extreme(listed, 'newest', Math.max),
    oldestEventTime: extreme(listed, 'oldest', Math.min),
    previousDigestS3Bucket: last?.bucket ?? null,
    previousDigestS3Object: last?.key ?? null,
    previousDigestHashValue: last?.hash ?? null,
    previousDigestHashAlgorithm: last === undefined ? null : 'SHA-256',
    previousDigestSignature: last?.signature ?? null,
    logFiles: listed.map((file) => ({
      s3Bucket: file.bucket,
      s3Object: file.key,
      hashValue: file.hash,
      hashAlgorithm: 'SHA-256',
      newestEventTime: isoSeconds(file.newest ?? at.end),
      oldestEventTime: isoSeconds(file.oldest ?? at.end),
      // Which range of the journal the file holds, and the trail's rule at that time.
      trent: { records: file.records, range: file.range, rule: file.rule },
    })),
    trent: {
      checkpoints: writers.flatMap(({ checkpoint }) =>
        checkpoint === undefined
          ? []
          : [
              {
                text: checkpoint.text,
                signature: Buffer.from(checkpoint.signature).toString('base64'),
              },
            ],
      ),
    },
  })
}

function extreme(
  files: readonly DeliveryFile[],
  member: 'newest' | 'oldest',
  choose: (one: number, other: number) => number,
): string | null {
  const times = files.flatMap((file) => file[member] ?? [])
  if (times.length === 0) return null
  return isoSeconds(times.reduce((one, other) => choose(one, other)))
}
