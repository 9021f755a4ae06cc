/**
 * Cuts records of the journal into log files, up to the last checkpoint, so that everything delivered
 * is anchored.
 *
 * INVARIANT (at least once): the rows of a stretch's files and the cursor behind the stretch commit in
 * one transaction, and the files' bytes are durable before it.
 * @module
 */
import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Random } from '../../model/clock.ts'
import type { DeliveryFile, DigestChain, JournalRange } from '../../model/delivery.ts'
import { takes, type TrailedRecord, type TrailRecord } from '../../model/trail.ts'
import { StaleRow, type Store } from '../../store/store.ts'
import { readCheckpoint } from '../journal/checkpoint.ts'
import { logFileKey, logFileText } from './log-file.ts'
import { readStretch, type JournalHome, type Stretch } from './read-range.ts'
import type { Spool } from './spool.ts'
import type { Trails } from './trails.ts'

const compress = promisify(gzip)

export interface CutDependencies {
  readonly store: Pick<
    Store,
    'listAuditWriters' | 'findDeliveryCursor' | 'saveCut' | 'listDigestChains'
  >
  readonly home: JournalHome
  readonly spool: Spool
  readonly trails: Trails
  readonly random: Random
  /** Returns the next sequence number. */
  readonly nextSequence: () => number
  readonly onError: (error: Error) => void
}

/**
 * Cuts one stretch of one stream.
 * @returns whether there may be more
 */
export async function cutStretch(dependencies: CutDependencies, now: number): Promise<boolean> {
  const { store, home, onError } = dependencies
  for (const { stream, first, checkpoint: signed } of await store.listAuditWriters()) {
    const checkpoint = readCheckpoint(signed?.text ?? '')
    if (checkpoint === undefined) continue
    const known = await store.findDeliveryCursor(stream)
    const begin = { stream, segment: first.segment, offset: 0 }
    const from = known === undefined || known.segment < first.segment ? begin : known
    const stretch = await readStretch(home, from, checkpoint)
    if (stretch === undefined) continue
    if (stretch.damage !== undefined) {
      const where = `${stream}, segment ${from.segment}, offset ${stretch.range.to}`
      onError(new Error(`records cannot be delivered: ${where}: ${stretch.damage}`))
    }
    await save(dependencies, stretch, now)
    return true
  }
  return false
}

interface Group {
  readonly trail: TrailRecord
  readonly region: string
  readonly records: string[]
  oldest: number
  newest: number
}

async function save(dependencies: CutDependencies, stretch: Stretch, now: number): Promise<void> {
  const { store, spool, nextSequence } = dependencies
  const files: DeliveryFile[] = []
  const known = await store.listDigestChains()
  // Another node's clock may be ahead, and have ended the hour.
  const madeAt = Math.max(now, ...known.map(({ end }) => end))
  for (const group of await grouped(stretch.records, dependencies.trails)) {
    const text = Buffer.from(logFileText(group.records))
    const bytes = await compress(text)
    const sequence = nextSequence()
    await spool.write(sequence, bytes)
    const hashes = { hash: hash('sha256', text, 'hex'), bytesHash: hash('sha256', bytes, 'hex') }
    files.push(fileOf({ group, sequence, hashes, range: stretch.range, now: madeAt }, dependencies))
  }
  if (files.length > 0) await spool.settle()
  const chains = newChains(files, known, now)
  await store.saveCut({ files, cursor: stretch.next, chains }).catch(async (error: unknown) => {
    // After any other failure the rows may be there, and need the bytes. If not, a start removes them.
    if (!(error instanceof StaleRow)) throw error
    // A digest ended the hour meanwhile: the next call makes the files anew, under other names.
    await spool.remove(files.map(({ sequence }) => sequence))
  })
}

function fileOf(
  of: {
    readonly group: Group
    readonly sequence: number
    readonly hashes: Pick<DeliveryFile, 'hash' | 'bytesHash'>
    readonly range: JournalRange
    readonly now: number
  },
  { random, trails }: CutDependencies,
): DeliveryFile {
  const { group, sequence, hashes, range, now } = of
  const { trail, region, records, oldest, newest } = group
  const { accountId, homeRegion, name, bucket, prefix, kmsKeyId } = trail
  const topicArn = trails.topicOf(trail)
  return {
    trail: { accountId, homeRegion, name },
    region,
    sequence,
    kind: 'log',
    bucket,
    key: logFileKey({ prefix, accountId, region }, now, random),
    ...hashes,
    oldest,
    newest,
    records: records.length,
    range,
    rule: trail,
    metadata: {},
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(topicArn !== undefined && { topicArn }),
    madeAt: now,
    isNotified: topicArn === undefined,
    isListed: !trail.logFileValidation,
  }
}

/** By trail and Region, in the order of the journal. */
async function grouped(records: readonly string[], trails: Trails): Promise<Iterable<Group>> {
  const groups = new Map<string, Group>()
  for (const text of records) {
    const record = trailed(text)
    if (record === undefined) continue
    for (const trail of await trails.of(record.recipientAccountId)) {
      if (!takes(trail, record)) continue
      const name = `${trail.homeRegion}/${trail.name}/${trail.accountId}/${record.awsRegion}`
      let group = groups.get(name)
      if (group === undefined) {
        const { time } = record
        group = { trail, region: record.awsRegion, records: [], oldest: time, newest: time }
        groups.set(name, group)
      }
      group.records.push(text)
      group.oldest = Math.min(group.oldest, record.time)
      group.newest = Math.max(group.newest, record.time)
    }
  }
  return groups.values()
}

/**
 * What a record says about the trail, account and Region that it belongs to; undefined if it is not of
 * CloudTrail's form.
 */
export function trailed(text: string): TrailedRecord | undefined {
  const parsed = Object(JSON.parse(text)) as Record<string, unknown> // each member is checked
  const { recipientAccountId, awsRegion, eventSource, readOnly, eventTime } = parsed
  const time = typeof eventTime === 'string' ? Date.parse(eventTime) : NaN
  const whole =
    typeof recipientAccountId === 'string' &&
    typeof awsRegion === 'string' &&
    typeof eventSource === 'string' &&
    !Number.isNaN(time)
  if (!whole) return undefined
  return { recipientAccountId, awsRegion, eventSource, readOnly: readOnly === true, time }
}

/** A chain of digests begins with the hour of its first file. */
function newChains(
  files: readonly DeliveryFile[],
  chains: readonly DigestChain[],
  now: number,
): readonly DigestChain[] {
  const wanted = files.filter(({ isListed }) => !isListed)
  const known = new Set(chains.map(chainName))
  const end = Math.floor(now / 3_600_000) * 3_600_000
  return wanted
    .filter((file) => !known.has(chainName(file)))
    .map(({ trail, region }) => ({ trail, region, end }))
}

function chainName({ trail, region }: Pick<DigestChain, 'trail' | 'region'>): string {
  return `${trail.accountId}/${trail.homeRegion}/${trail.name}/${region}`
}
