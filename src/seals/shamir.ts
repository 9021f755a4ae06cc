/**
 * The seal by shares of a random key: any `threshold` of them give the key, and fewer say nothing about
 * it. The record holds the SHA-256 of each share, so that a mistyped or forged share is refused at once
 * and does not disturb the others. A share has 256 random bits, so its hash gives nothing away.
 * @module
 */
import { timingSafeEqual, type KeyObject } from 'node:crypto'
import { takeSecretKey } from '../crypto/derive.ts'
import type { Random } from '../model/clock.ts'
import { SealRefused, type Needs, type Opening, type Seal, type Wanted } from './seal.ts'
import { damaged, openRecord, readHeader, sealRecord } from './sealed-record.ts'
import { readShare, shareHash, shareText, type Share } from './share-text.ts'

const kind = 'shamir'
const keyBytes = 32
const sharesMax = 16
const hashBytes = 32

interface ShareSet {
  readonly set: string
  readonly threshold: number
  /** SHA-256 of each share's text, by index from 0. */
  readonly hashes: readonly Uint8Array[]
}

export function shamirSeal(random: Random): Seal {
  return {
    kind,
    asks: 'shares',
    startsAlone: false,
    async seal(rootKey, deploymentId, wanted) {
      const { count, threshold } = wantedShares(wanted)
      const key = random.bytes(keyBytes)
      try {
        const shares = await splitKey(key, count, threshold, random)
        const header = {
          kind,
          set: shares[0]?.set,
          threshold,
          hashes: shares.map((share) => shareHash(share).toString('base64')),
        } as const
        const record = sealRecord(takeKey(key), header, rootKey, deploymentId, random)
        return { record, shares: shares.map(shareText) }
      } finally {
        key.fill(0)
      }
    },
    requireWanted: (wanted) => void wantedShares(wanted),
    open: (record, deploymentId, needs = 'threshold') =>
      openShares(readSet(record), record, deploymentId, needs),
  }
}

function openShares(
  known: ShareSet,
  record: Uint8Array,
  deploymentId: string,
  needs: Needs,
): Opening {
  const { set, threshold, hashes } = known
  const needed = needs === 'everyone' ? hashes.length : threshold
  const given = new Map<number, { readonly bytes: Uint8Array; readonly giver?: string }>()
  const wipe = (): void => {
    for (const { bytes } of given.values()) bytes.fill(0)
  }
  const forget = (): void => {
    wipe()
    given.clear()
  }
  return {
    progress() {
      const inOrder = [...given].toSorted(([a], [b]) => a - b)
      const givers = inOrder.flatMap(([, { giver }]) => giver ?? [])
      const progress = {
        asks: 'shares',
        set,
        given: inOrder.map(([index]) => index),
        needed,
      } as const
      return givers.length === 0 ? progress : { ...progress, givers }
    },
    async give(secret, giver) {
      if (secret === undefined) throw new SealRefused('a share is needed')
      const share = readShare(secret)
      requireGenuine(share, known)
      // Whoever gave it first stays noted.
      if (given.has(share.index)) share.bytes.fill(0)
      else given.set(share.index, { bytes: share.bytes, ...(giver !== undefined && { giver }) })
      if (given.size < needed) return undefined
      const key = await combineKey([...given.values()].map(({ bytes }) => bytes))
      try {
        const rootKey = openRecord(key, record, deploymentId)
        wipe() // `progress` still names them
        return rootKey
      } catch (error) {
        forget()
        throw error
      }
    },
    forget,
  }
}

/** @throws {SealRefused} names the share, and quotes nothing of it */
function requireGenuine(share: Share, { set, hashes }: ShareSet): void {
  if (share.set !== set) {
    throw new SealRefused(
      `share ${share.index} of set ${share.set} is of another seal: this one opens with set ${set}`,
    )
  }
  const wanted = hashes[share.index - 1]
  if (wanted === undefined || !timingSafeEqual(shareHash(share), wanted)) {
    throw new SealRefused(`share ${share.index} of set ${set} is not genuine`)
  }
}

function wantedShares({ shares: count = 5, threshold = 3 }: Wanted = {}): {
  readonly count: number
  readonly threshold: number
} {
  const whole = Number.isInteger(count) && Number.isInteger(threshold)
  if (!whole || count > sharesMax || threshold < 2 || threshold > count) {
    throw new SealRefused(
      `a seal has 2 to ${sharesMax} shares, and a threshold from 2 to the number of shares`,
    )
  }
  return { count, threshold }
}

async function splitKey(
  key: Uint8Array,
  count: number,
  threshold: number,
  random: Random,
): Promise<readonly Share[]> {
  const { split } = await import('shamir-secret-sharing')
  const set = Buffer.from(random.bytes(4)).toString('hex')
  const parts = await split(Uint8Array.from(key), count, threshold)
  const shares = parts.map((bytes, index) => ({ set, index: index + 1, threshold, bytes }))
  // A share that does not combine must not leave: the first shares prove the others, one at a time.
  const wanted = takeKey(key)
  const first = parts.slice(0, threshold - 1)
  for (const last of parts.slice(threshold - 1)) {
    if (!(await combineKey([...first, last])).equals(wanted)) {
      throw new Error('the shares do not give back their key')
    }
  }
  return shares
}

async function combineKey(shares: readonly Uint8Array[]): Promise<KeyObject> {
  const { combine } = await import('shamir-secret-sharing')
  // The library accepts only plain arrays of bytes.
  return takeSecretKey(await combine(shares.map((bytes) => Uint8Array.from(bytes))))
}

function takeKey(key: Uint8Array): KeyObject {
  return takeSecretKey(Uint8Array.from(key))
}

/** Reads the parameters within bounds: nothing has proved them yet. */
function readSet(record: Uint8Array): ShareSet {
  const { set, threshold, hashes } = readHeader(record, kind)
  if (typeof set !== 'string' || !/^[0-9a-f]{8}$/.test(set)) throw damaged()
  if (!Array.isArray(hashes) || hashes.length > sharesMax) throw damaged()
  if (typeof threshold !== 'number' || !Number.isInteger(threshold)) throw damaged()
  if (threshold < 2 || threshold > hashes.length) throw damaged()
  return {
    set,
    threshold,
    hashes: hashes.map((text: unknown) => {
      const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64')
      if (bytes.length !== hashBytes) throw damaged()
      return bytes
    }),
  }
}
