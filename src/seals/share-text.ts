/**
 * The text of one share of a Shamir seal, as an operator keeps it:
 *
 *     trent-share:1:<set>:<index>:<threshold>:<share>:<checksum>
 *
 * `set` is 8 hexadecimal digits; `share` is 66 (32 bytes ‖ the x coordinate, 1 byte); `checksum` is the
 * first 8 digits of SHA-256 over the text before it. The checksum finds typing errors only. Upper and
 * lower case mean the same, and spaces mean nothing.
 * @module
 */
import { hash } from 'node:crypto'
import { SealRefused } from './seal.ts'

export interface Share {
  /** 8 hexadecimal digits. */
  readonly set: string
  /** Counts from 1. */
  readonly index: number
  readonly threshold: number
  /** 33 bytes. */
  readonly bytes: Uint8Array
}

const form = /^(trent-share:1:([0-9a-f]{8}):(\d{1,2}):(\d{1,2}):([0-9a-f]{66})):([0-9a-f]{8})$/
const textBytesMax = 1024

export function shareText({ set, index, threshold, bytes }: Share): string {
  const text = `trent-share:1:${set}:${index}:${threshold}:${Buffer.from(bytes).toString('hex')}`
  return `${text}:${checksumOf(text)}`
}

/**
 * @param given UTF-8
 * @throws {SealRefused} the message quotes nothing of the share
 */
export function readShare(given: Uint8Array): Share {
  if (given.length > textBytesMax) throw malformed()
  const text = Buffer.from(given).toString('utf8').replaceAll(/\s/g, '').toLowerCase()
  const [, checked, set, index, threshold, digits, checksum] = form.exec(text) ?? []
  if (checked === undefined || set === undefined || digits === undefined) throw malformed()
  if (checksumOf(checked) !== checksum) {
    throw new SealRefused('the share is mistyped: its checksum does not match')
  }
  return {
    set,
    index: Number(index),
    threshold: Number(threshold),
    bytes: Buffer.from(digits, 'hex'),
  }
}

/** SHA-256 of the whole text in its one form, 32 bytes. The record of the seal keeps it. */
export function shareHash(share: Share): Buffer {
  return hash('sha256', shareText(share), 'buffer')
}

function malformed(): SealRefused {
  return new SealRefused('this is not a share: a share begins with trent-share:1: and has one line')
}

function checksumOf(text: string): string {
  return hash('sha256', text).slice(0, 8)
}
