/** Builds the binary header of the PROXY protocol. @module */
import { isIPv6 } from 'node:net'

export interface ProxyV2 {
  readonly address?: string
  /** The byte `client` of the field about TLS; the field is left out without it. */
  readonly tls?: number
  /** 0x21 is PROXY, 0x20 is LOCAL. */
  readonly command?: number
  /** 0x11 is TCP over IPv4, 0x21 over IPv6. */
  readonly family?: number
}

export function proxyV2({ address, tls, command = 0x21, family }: ProxyV2): Buffer {
  const addresses = address === undefined ? [] : both(address)
  const field = tls === undefined ? [] : [0x20, 0, 5, tls, 0, 0, 0, 0]
  const rest = Buffer.from([...addresses, ...field])
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1')
  head[12] = command
  head[13] = family ?? (address !== undefined && isIPv6(address) ? 0x21 : 0x11)
  head.writeUInt16BE(rest.length, 14)
  return Buffer.concat([head, rest])
}

/** Both addresses the same, and two ports. */
function both(address: string): number[] {
  const bytes = isIPv6(address) ? groupsOf(address) : address.split('.').map(Number)
  return [...bytes, ...bytes, 0xdc, 0x04, 0x01, 0xbb]
}

function groupsOf(address: string): number[] {
  const [, before = '', dotted = ''] = /^(.*?)((?:\d+\.){3}\d+)?$/.exec(address) ?? []
  const four = dotted === '' ? [] : dotted.split('.').map(Number)
  const [head = '', tail = ''] = before.replace(/:$/, (end) => (dotted ? '' : end)).split('::')
  const bytes = (text: string): number[] =>
    text
      .split(':')
      .filter((group) => group !== '')
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
  const last = [...bytes(tail), ...four]
  const first = bytes(head)
  return [...first, ...Array<number>(16 - first.length - last.length).fill(0), ...last]
}
