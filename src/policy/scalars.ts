/**
 * Parses values of typed conditions; undefined for text of another type. Every parser is linear and
 * takes a bounded length, because the text may be caller-controlled.
 * @see
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @module
 */
import { BlockList, isIP } from 'node:net'
import { readAddress } from '../model/address.ts'

/** With more digits than a double holds exactly, unequal numbers would compare as equal. */
const numberPattern = /^[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})$/

export function readNumber(text: string): number | undefined {
  if (!numberPattern.test(text)) return undefined
  return text.replace(/\D/g, '').length > 15 ? undefined : Number(text)
}

const datePattern =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d))?)?)?$/

/**
 * Parses a date in the W3C profile of ISO 8601 (year, month, day, or with time and zone), or whole
 * seconds since the epoch. Four digits are a year. Returns milliseconds since the epoch.
 */
export function readDate(text: string): number | undefined {
  const parts = datePattern.exec(text)
  if (parts === null) return /^-?\d{1,12}$/.test(text) ? Number(text) * 1000 : undefined
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00'] = parts
  const [, , , , , , , fraction = '', zone = 'Z'] = parts
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const date = new Date(start)
  // Date.UTC carries February 31 over into March.
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  const clock = [Number(hour) <= 23, Number(minute) <= 59, Number(second) <= 59]
  const offset = offsetMinutes(zone)
  if (!exists || clock.includes(false) || offset === undefined) return undefined
  const minutes = Number(hour) * 60 + Number(minute) - offset
  return start + minutes * 60_000 + Number(second) * 1000 + Number(`0.${fraction}0`) * 1000
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  if (hours > 23 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

export function readBool(text: string): boolean | undefined {
  const lower = text.length <= 5 ? text.toLowerCase() : ''
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

/** Parses canonical base64. `Buffer.from` alone would skip bad characters. */
export function readBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Addresses of one family. IPv4 and IPv6 never contain each other. */
export interface AddressBlock {
  readonly family: Family
  readonly list: BlockList
}

type Family = 'ipv4' | 'ipv6'

const addressCharsMax = 64
/** Bits before the IPv4 address in an IPv6 address that holds one, `::ffff:192.0.2.1`. */
const mappedBits = 96

/** Parses an address, or a block of addresses in CIDR form. */
export function readAddresses(text: string): AddressBlock | undefined {
  if (text.length > addressCharsMax) return undefined
  const [address = '', prefix, ...rest] = text.split('/')
  const family = familyOf(address)
  if (family === undefined || rest.length > 0) return undefined
  if (prefix !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined
  const bits = family === 'ipv4' ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix)
  if (length > bits) return undefined
  const list = new BlockList()
  const plain = unmapped(address)
  // A connection's IPv4 address is in its IPv4 form, so a Deny in the IPv6 form would match no caller.
  const isMapped = family === 'ipv6' && isIP(plain) === 4 && length >= mappedBits
  if (isMapped) list.addSubnet(plain, length - mappedBits, 'ipv4')
  else list.addSubnet(address, length, family)
  return { family: isMapped ? 'ipv4' : family, list }
}

/** Whether `text` is in the block; undefined when it is not an address. */
export function isAmong({ family, list }: AddressBlock, text: string): boolean | undefined {
  if (text.length > addressCharsMax || familyOf(text) === undefined) return undefined
  const address = unmapped(text)
  const given = familyOf(address)
  if (given === undefined) return undefined
  return given === family && list.check(address, given)
}

/** Converts an IPv4 address in any IPv6 form to `192.0.2.1`, and other addresses to their one spelling. */
export function unmapped(address: string): string {
  return readAddress(address) ?? address
}

function familyOf(address: string): Family | undefined {
  const version = address.includes('%') ? 0 : isIP(address)
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined
}
