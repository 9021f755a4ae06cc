/** IP addresses in the one form in which Trent compares, counts and records them. @module */
import { isIP, isIPv6, SocketAddress } from 'node:net'

/** Turns an IPv4 address that arrived over an IPv6 socket into a plain IPv4 address. */
export function plainAddress(remoteAddress: string | undefined): string {
  const address = remoteAddress ?? ''
  return address.startsWith('::ffff:') && address.includes('.')
    ? address.slice('::ffff:'.length)
    : address
}

/**
 * Returns the canonical form of an address in configuration or a policy, without its scope, or
 * undefined for other text.
 */
export function readAddress(text: string): string | undefined {
  const family = isIP(text)
  if (family === 0) return undefined
  if (family === 4) return text
  // A scope may be of any length, and is not part of the address.
  const [address = ''] = text.split('%')
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address)
}

/**
 * The unit that counts as one client: an IPv4 address, or an IPv6 /64, within which a client can
 * choose any address.
 */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return `${groups.slice(0, 4).join(':').toLowerCase()}::/64`
}

/** Whether `host` can be reached only from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
