/**
 * Reads the PROXY protocol, versions 1 and 2: the header that a proxy sends before its client's first
 * byte.
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'
import { readAddress } from '../model/address.ts'

export interface ProxyHeader {
  /** Length of the header. The client's bytes follow. */
  readonly bytes: number
  /** Address of the client; undefined when the proxy does not report it. */
  readonly address?: string
  /** True for the proxy's own connections, such as health checks. */
  readonly local: boolean
  /** True when the proxy reports that its client used TLS. Version 1 cannot report it. */
  readonly tls: boolean
}

/** `more`: the bytes so far do not decide. `none`: they are not a PROXY header. */
export type ProxyHeaderRead = ProxyHeader | 'more' | 'none' | 'malformed'

const prefixV1 = Buffer.from('PROXY ')
const signatureV2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Bytes of the longest line of version 1. */
const lineBytesMax = 107
/** Bytes after the first sixteen of version 2. A certificate's name is the largest part in use. */
const bodyBytesMax = 4096

/** Reads the first bytes of a connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderRead {
  if (begins(bytes, prefixV1)) return bytes.length < prefixV1.length ? 'more' : readLine(bytes)
  if (begins(bytes, signatureV2)) return bytes.length < 16 ? 'more' : readBinary(bytes)
  return 'none'
}

/** Whether one of `bytes` and `wanted` begins with the other. */
function begins(bytes: Buffer, wanted: Buffer): boolean {
  const length = Math.min(bytes.length, wanted.length)
  return bytes.subarray(0, length).equals(wanted.subarray(0, length))
}

function readLine(bytes: Buffer): ProxyHeaderRead {
  const end = bytes.subarray(0, lineBytesMax).indexOf('\r\n')
  if (end === -1) return bytes.length < lineBytesMax ? 'more' : 'malformed'
  const header = { bytes: end + 2, local: false, tls: false }
  const line = bytes.toString('latin1', 0, end)
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return header
  const [, family, source = '', destination = '', ...ports] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? []
  const isOfFamily = family === '4' ? isIPv4 : isIPv6
  if (family === undefined || !isOfFamily(source) || !isOfFamily(destination)) return 'malformed'
  if (ports.some((port) => Number(port) > 65_535)) return 'malformed'
  return { ...header, address: readAddress(source) ?? source }
}

function readBinary(bytes: Buffer): ProxyHeaderRead {
  const [versionAndCommand = 0, family = 0] = bytes.subarray(12)
  const length = bytes.readUInt16BE(14)
  const local = versionAndCommand === 0x20
  if ((!local && versionAndCommand !== 0x21) || length > bodyBytesMax) return 'malformed'
  if (bytes.length < 16 + length) return 'more'
  const body = bytes.subarray(16, 16 + length)
  const header = { bytes: 16 + length, local, tls: false }
  // The specification says to ignore the addresses of a local connection.
  if (local) return header
  const size = addressBytes.get(family >> 4)
  if (size === undefined || body.length < size) return 'malformed'
  const tls = saysTls(body.subarray(size))
  if (tls === undefined) return 'malformed'
  // Only TCP addresses identify a client here.
  if (family === 0x11) return { ...header, tls, address: body.subarray(0, 4).join('.') }
  if (family !== 0x21) return { ...header, tls }
  const groups = Array.from({ length: 8 }, (_, at) => body.readUInt16BE(at * 2).toString(16))
  return { ...header, tls, address: readAddress(groups.join(':')) ?? '' }
}

/** Bytes of both addresses and ports, by address family: unspecified, IPv4, IPv6, Unix. */
const addressBytes: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 12],
  [2, 36],
  [3, 216],
])

const typeOfTls = 0x20
const clientOverTls = 0x01

/** Reads the fields `type, u16 length, value`. Undefined when they do not fill the space exactly. */
function saysTls(fields: Buffer): boolean | undefined {
  let tls = false
  let at = 0
  while (at < fields.length) {
    if (at + 3 > fields.length) return undefined
    const length = fields.readUInt16BE(at + 1)
    if (at + 3 + length > fields.length) return undefined
    if (fields[at] === typeOfTls && length > 0) {
      tls = ((fields[at + 3] ?? 0) & clientOverTls) !== 0
    }
    at += 3 + length
  }
  return tls
}
