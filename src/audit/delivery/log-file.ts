/**
 * The form of a log file: its key and its text.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
 * @module
 */
import type { Random } from '../../model/clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const uniqueLength = 16

/** The text of a log file: records as they are in the journal, in order. */
export function logFileText(records: readonly string[]): string {
  return `{"Records":[${records.join(',')}]}`
}

export function logFileKey(
  of: { readonly prefix?: string | undefined; readonly accountId: string; readonly region: string },
  time: number,
  random: Random,
): string {
  const { accountId, region } = of
  const stamp = compact(time).slice(0, 13)
  const name = `${accountId}_CloudTrail_${region}_${stamp}Z_${unique(random)}.json.gz`
  return `${folder(of, 'CloudTrail', time)}/${name}`
}

export function digestFileKey(
  of: {
    readonly prefix?: string | undefined
    readonly accountId: string
    readonly region: string
    readonly trailName: string
    readonly homeRegion: string
  },
  end: number,
): string {
  const { accountId, region, trailName, homeRegion } = of
  const name = `${accountId}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_${compact(end)}Z.json.gz`
  return `${folder(of, 'CloudTrail-Digest', end)}/${name}`
}

function folder(
  of: { readonly prefix?: string | undefined; readonly accountId: string; readonly region: string },
  kind: string,
  time: number,
): string {
  const day = new Date(time).toISOString().slice(0, 10).replaceAll('-', '/')
  const start = of.prefix === undefined ? '' : `${of.prefix}/`
  return `${start}AWSLogs/${of.accountId}/${kind}/${of.region}/${day}`
}

/** `20260131T235959` */
function compact(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
}

/** ISO 8601 in whole seconds. */
export function isoSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}

/** Random letters and digits without bias: bytes that would favour some of them are drawn again. */
function unique(random: Random): string {
  let text = ''
  while (text.length < uniqueLength) {
    for (const byte of random.bytes(uniqueLength)) {
      if (byte < alphabet.length * 4 && text.length < uniqueLength) {
        text += alphabet[byte % alphabet.length]
      }
    }
  }
  return text
}
